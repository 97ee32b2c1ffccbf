import LinearAlgebra
import Testing

@Suite struct LinearAlgebraErrorTests {
    /// Each message names the values that its case carries.
    @Test(arguments: [
        (LinearAlgebraError.nonFinite(row: 31, column: 42), ["(31, 42)", "not finite"]),
        (.notPositiveDefinite(pivot: 7), ["pivot 7", "8×8"]),
        (.singular(pivot: 31), ["pivot 31", "zero"]),
        (.noConvergence(method: "some method", unconverged: 31), ["some method", "31"]),
        (.overflow(operation: "some solve"), ["some solve", "too large"]),
        (.outOfMemory(operation: "some solve"), ["some solve", "memory"]),
        (.malformedRowOffsets(row: 31), ["row 31"]),
        (.indexOutOfRange(row: 31, column: 42, rows: 53, columns: 64), ["(31, 42)", "53×64"]),
        (.unsortedColumns(row: 31, column: 42), ["row 31", "column 42"]),
        (.unequalCounts(indices: 31, values: 42), ["31", "42"]),
    ]) func messagesNameTheirValues(_ error: LinearAlgebraError, _ parts: [String]) {
        for part in parts { #expect(error.description.contains(part)) }
    }
}
