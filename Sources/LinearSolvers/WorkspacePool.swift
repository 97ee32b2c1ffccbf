import Synchronization

/// Buffers for values that are applied often and from any thread: each application takes one and gives it back.
final class WorkspacePool<Workspace: Sendable>: Sendable {
    private let free = Mutex<[Workspace]>([])
    private let make: @Sendable () -> Workspace

    init(_ make: @escaping @Sendable () -> Workspace) { self.make = make }

    func take() -> Workspace { free.withLock { $0.popLast() } ?? make() }

    func giveBack(_ workspace: Workspace) { free.withLock { $0.append(workspace) } }
}
