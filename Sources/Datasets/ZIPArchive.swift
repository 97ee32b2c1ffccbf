/// The members of a ZIP file, stored or deflated. ZIP64, encryption and multiple volumes are refused.
struct ZIPArchive {
    struct Member {
        let name: String
        let method: UInt16
        let checksum: UInt32
        let size: Int
        let data: Range<Int>
    }

    let bytes: [UInt8]
    let members: [Member]

    init(_ bytes: [UInt8]) throws(FormatError) {
        self.bytes = bytes
        var end = ByteReader(bytes, format: "ZIP", range: try Self.endRecord(bytes)..<bytes.count)
        _ = try end.take(4, "the end record")
        let disks = (try end.integer(UInt16.self, "the disk"), try end.integer(UInt16.self, "the first disk"))
        _ = try end.integer(UInt16.self, "the disk's count")
        let count = try end.integer(UInt16.self, "the count")
        let length = try end.integer(UInt32.self, "the directory's length")
        let start = try end.integer(UInt32.self, "the directory's offset")
        guard count != .max, length != .max, start != .max else { throw end.error(expected: "a ZIP file", found: "ZIP64") }
        guard disks == (0, 0) else { throw end.error(expected: "one volume", found: "volumes \(disks)") }
        guard Int(start) + Int(length) <= bytes.count else {
            throw end.error(expected: "a directory inside the file", found: "offset \(start) and length \(length)")
        }
        var directory = ByteReader(bytes, format: "ZIP", range: Int(start)..<Int(start) + Int(length))
        var members: [Member] = [], total = 0
        for _ in 0..<count {
            let member = try Self.member(&directory)
            members.append(member)
            total += member.data.count
            // Members that share bytes would let a small file expand without bound.
            guard total <= bytes.count else { throw directory.error(expected: "members that do not overlap", found: "overlapping ones") }
        }
        self.members = members
    }

    /// The member's bytes, with their checksum verified.
    func contents(_ member: Member, limit: Int) throws(FormatError) -> [UInt8] {
        let input = ByteReader(bytes, format: "ZIP", range: member.data)
        guard member.size <= limit else {
            throw input.error(expected: "members of at most \(limit) bytes together", found: "\(member.name) with \(member.size)")
        }
        let result = member.method == 0 ? Array(bytes[member.data]) : try Inflate.decompress(input, limit: member.size)
        guard result.count == member.size else {
            throw input.error(expected: "\(member.size) bytes in \(member.name)", found: "\(result.count)")
        }
        let checksum = crc32(result)
        guard checksum == member.checksum else {
            throw input.error(expected: "checksum \(member.checksum) for \(member.name)", found: "\(checksum)")
        }
        return result
    }

    /// Where the end record starts: the last place in the file that looks like it.
    private static func endRecord(_ bytes: [UInt8]) throws(FormatError) -> Int {
        let signature: [UInt8] = [0x50, 0x4B, 5, 6]
        // 22 bytes and a comment of at most 65535.
        var start = bytes.count - 22
        while start >= max(0, bytes.count - 22 - 65_535) {
            if bytes[start..<start + 4].elementsEqual(signature) { return start }
            start -= 1
        }
        throw FormatError("ZIP", .byte(bytes.count), expected: "an end-of-directory record", found: "none")
    }

    private static func member(_ directory: inout ByteReader) throws(FormatError) -> Member {
        try directory.expect([0x50, 0x4B, 1, 2], "a directory entry")
        _ = try directory.take(4, "versions")
        let flags = try directory.integer(UInt16.self, "flags"), method = try directory.integer(UInt16.self, "the method")
        guard flags & 1 == 0 else { throw directory.error(expected: "no encryption", found: "an encrypted member") }
        guard method == 0 || method == 8 else {
            throw directory.error(expected: "method 0 (stored) or 8 (deflate)", found: "\(method)")
        }
        _ = try directory.take(4, "time and date")
        let checksum = try directory.integer(UInt32.self, "the checksum")
        let compressed = try directory.integer(UInt32.self, "the compressed size"), size = try directory.integer(UInt32.self, "the size")
        let nameLength = Int(try directory.integer(UInt16.self, "the name's length"))
        let extraLength = Int(try directory.integer(UInt16.self, "the extra field's length"))
        let commentLength = Int(try directory.integer(UInt16.self, "the comment's length"))
        _ = try directory.take(8, "disk and attributes")
        let offset = try directory.integer(UInt32.self, "the member's offset")
        guard compressed != .max, size != .max, offset != .max else { throw directory.error(expected: "a ZIP file", found: "ZIP64") }
        let name = String(decoding: directory.bytes[try directory.take(nameLength, "the name")], as: UTF8.self)
        _ = try directory.take(extraLength + commentLength, "extra field and comment")

        guard Int(offset) <= directory.bytes.count else {
            throw directory.error(expected: "an offset inside the file", found: "\(offset)")
        }
        var local = ByteReader(directory.bytes, format: "ZIP", range: Int(offset)..<directory.bytes.count)
        try local.expect([0x50, 0x4B, 3, 4], "a member's header")
        _ = try local.take(22, "a member's header")
        let localName = Int(try local.integer(UInt16.self, "the name's length"))
        let localExtra = Int(try local.integer(UInt16.self, "the extra field's length"))
        _ = try local.take(localName + localExtra, "name and extra field")
        let data = try local.take(Int(compressed), "the data of \(name)")
        return Member(name: name, method: method, checksum: checksum, size: Int(size), data: data)
    }
}
