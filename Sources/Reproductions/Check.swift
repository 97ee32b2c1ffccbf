/// One claim put to the test: a measured number against a target that was written down before the run.
public struct Check: Sendable, Codable, Hashable {
    public enum Relation: String, Sendable, Codable {
        case atMost = "<="
        case atLeast = ">="
        case equal = "=="
    }

    public let name: String
    public let measured: Double
    public let relation: Relation
    public let target: Double
    /// Which table, figure or theorem of the paper the target comes from, or why a small stand-in shows the same.
    public let source: String

    public init(_ name: String, _ measured: Double, _ relation: Relation, _ target: Double, source: String) {
        self.name = name
        self.measured = measured
        self.relation = relation
        self.target = target
        self.source = source
    }

    /// Whether the relation holds; never for NaN.
    public var passed: Bool {
        switch relation {
        case .atMost: measured <= target
        case .atLeast: measured >= target
        case .equal: measured == target
        }
    }

    private enum CodingKeys: String, CodingKey {
        case name, measured, relation, target, source, passed
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        measured = try values.decode(Double?.self, forKey: .measured) ?? .nan
        relation = try values.decode(Relation.self, forKey: .relation)
        target = try values.decode(Double.self, forKey: .target)
        source = try values.decode(String.self, forKey: .source)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        // JSON has no NaN and no infinity: null, with `passed` false or true as it is.
        try values.encode(measured.isFinite ? measured : nil, forKey: .measured)
        try values.encode(relation, forKey: .relation)
        try values.encode(target, forKey: .target)
        try values.encode(source, forKey: .source)
        try values.encode(passed, forKey: .passed)
    }
}
