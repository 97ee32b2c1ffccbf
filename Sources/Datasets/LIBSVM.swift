import Kernels
import LinearAlgebra

/// The text format of LIBSVM and SVMlight: `label index:value index:value … # comment`, one example a line, indices ascending.
public enum LIBSVM {
    /// - `indexBase`: The index of the first column: 1 by custom, 0 in some files.
    /// - `columns`: The number of columns, at most 2³¹ − 1; if `nil`, the largest index says.
    /// - Throws: ``FormatError`` with line and byte column: for what is not a finite number, an index that is below `indexBase`, not
    ///   above the one before it, or beyond `columns`.
    public static func read<Scalar: KernelScalar>(
        _ bytes: [UInt8], indexBase: Int = 1, columns: Int? = nil, as _: Scalar.Type = Scalar.self
    ) throws(FormatError) -> (features: SparseMatrix<Scalar>, labels: [Scalar]) {
        let limit = columns ?? Int(Int32.max)
        require(limit >= 0 && limit <= Int(Int32.max), "\(limit) columns; expected 0 to \(Int32.max)")
        var labels: [Scalar] = [], rowStarts = [0], indices: [Int32] = [], values: [Scalar] = []
        var line = 0, start = 0
        while start < bytes.count {
            line += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let content = bytes[start..<end].prefix { $0 != UInt8(ascii: "#") }
            var isFirst = true, last: Int?
            for token in content.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                func fail(_ expected: String) -> FormatError {
                    FormatError("LIBSVM", .line(line, column: token.startIndex - start + 1), expected: expected, found: describe(token))
                }
                if isFirst {
                    guard let label: Scalar = number(token) else { throw fail("a label that is a finite number") }
                    labels.append(label)
                    isFirst = false
                    continue
                }
                let parts = token.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, let index = Int(String(decoding: parts[0], as: UTF8.self)), index >= indexBase,
                      let value: Scalar = number(parts[1]) else { throw fail("index:value with an index from \(indexBase) on") }
                let (column, overflow) = index.subtractingReportingOverflow(indexBase)
                guard !overflow, column > last ?? -1 else { throw fail("an index above the one before it") }
                guard column < limit else { throw fail("an index for \(limit) columns") }
                indices.append(Int32(column))
                values.append(value)
                last = column
            }
            if !isFirst { rowStarts.append(indices.count) }
            start = end + 1
        }
        let width = columns ?? (indices.max().map { Int($0) + 1 } ?? 0)
        do {
            return (try SparseMatrix(rows: labels.count, columns: width, rowOffsets: rowStarts, columnIndices: indices,
                                     values: values), labels)
        } catch {
            fatalError("rows read in order make no sparse matrix: \(error)")
        }
    }

    /// - Throws: ``FormatError``, also for a file that cannot be read.
    public static func read<Scalar: KernelScalar>(
        path: String, indexBase: Int = 1, columns: Int? = nil, as _: Scalar.Type = Scalar.self
    ) throws(FormatError) -> (features: SparseMatrix<Scalar>, labels: [Scalar]) {
        try read(readFile(path, format: "LIBSVM"), indexBase: indexBase, columns: columns)
    }

    private static func number<Scalar: KernelScalar>(_ token: ArraySlice<UInt8>) -> Scalar? {
        guard let value = Double(String(decoding: token, as: UTF8.self)), value.isFinite else { return nil }
        let result = Scalar(value)
        return result.isFinite ? result : nil
    }
}
