/// NumPy's format for several arrays: a ZIP file of NPY files, stored (`savez`) or deflated (`savez_compressed`).
public enum NPZ {
    /// The arrays by name, without the suffix `.npy`. Members without that suffix are left out.
    ///
    /// - `limit`: The most bytes that all arrays together may expand to; deflated zeros expand a thousandfold.
    /// - Throws: ``FormatError`` with an offset in the file, or in the member if its format is `NPY`.
    public static func read(_ bytes: [UInt8], limit: Int = 1 << 32) throws(FormatError) -> [String: NumericArray] {
        let archive = try ZIPArchive(bytes)
        var result: [String: NumericArray] = [:], room = limit
        for member in archive.members where member.name.hasSuffix(".npy") {
            let contents = try archive.contents(member, limit: room)
            room -= contents.count
            result[String(member.name.dropLast(4))] = try NPY.read(contents)
        }
        return result
    }

    /// - Throws: ``FormatError``, also for a file that cannot be read.
    public static func read(path: String, limit: Int = 1 << 32) throws(FormatError) -> [String: NumericArray] {
        try read(readFile(path, format: "ZIP"), limit: limit)
    }
}
