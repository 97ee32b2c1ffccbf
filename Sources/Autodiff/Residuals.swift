import Kernels
import Synchronization

/// What an operation's value leaves for its pullback beside operands and result: by-products that would have to be computed
/// again. It lives as long as the operation, which the tape drops when its derivative is taken.
///
/// They depend on the operands alone, so they are no operands themselves: derivatives of the pullback come from its definition.
final class Residuals<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)

    /// nil before the value has run, or where it left nothing.
    var value: Value? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
