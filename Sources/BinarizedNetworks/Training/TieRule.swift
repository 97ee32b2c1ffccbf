/// What becomes of a number that lies exactly on a binariser's threshold.
///
/// Scores of ±1 queries and keys are whole numbers, so ties are common: a tenth of all scores is 0 with 64 numbers a head. A model must
/// run with the rule that it was trained with.
public enum TieRule: String, Sendable, Hashable, Codable {
    /// sign(0) = +1 and bool(0) = 1; the gradient of bool passes where |x| ≤ 1. The paper's; two values, so that bits hold them.
    case paper
    /// sign(0) = 0 and bool(0) = 0; the gradient of bool passes where |x| < 1. The rule of the released code, which is built on
    /// `torch.sign`. Contexts of 0 make it ternary: such a model cannot be packed.
    case torchSign
}
