/// One decoder that a stranger reaches, ready to be fed with any bytes.
///
/// A target does what the product does with the bytes, and states what must hold whatever they are: that nothing traps
/// or hangs goes without saying; beyond that decoding what was encoded gives the same value, answers stay in proportion,
/// and so on. `Fuzz/` drives the targets with libFuzzer; `Tests/FuzzTests` replays the corpus and past findings.
public struct FuzzTarget: Sendable {
    /// The name, also of its file in `Fuzz/corpus` and its folder in `Fuzz/findings`.
    public let name: String
    /// Longer inputs say nothing new.
    public let bytesMax: Int
    private let body: @Sendable ([UInt8]) throws -> Void
    private let makeSeeds: @Sendable () throws -> [[UInt8]]

    init(
        _ name: String, bytesMax: Int, seeds: @escaping @Sendable () throws -> [[UInt8]],
        _ body: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.bytesMax = bytesMax
        self.body = body
        makeSeeds = seeds
    }

    /// Feeds it.
    ///
    /// - Throws: ``BrokenProperty`` if something that must hold does not. Refusing the bytes is no failure.
    public func run(_ bytes: [UInt8]) throws { try body(bytes) }

    /// Inputs to begin with, made from real objects.
    public func seeds() throws -> [[UInt8]] { try makeSeeds() }

    /// One line of a corpus: an input's bytes in hexadecimal.
    public static func input(hexadecimal line: some StringProtocol) throws -> [UInt8] {
        let digits = line.utf8.map { UInt8($0 > 57 ? $0 &- 87 : $0 &- 48) }
        try demand(digits.count % 2 == 0 && digits.allSatisfy { $0 < 16 }, "a line of the corpus is hexadecimal")
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Every target.
    public static let all: [FuzzTarget] = [
        .negotiation, .transmission, .tls, .signing, .native, .ec2, .ecs, .direct, .rules, .kingsoft, .nodes, .packs,
        .records,
        .snapshot,
        .sealed,
        .s3Texts, .s3Store,
        .volumeFiles, .texts,
    ]
}

extension FuzzTarget: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}

/// A property that did not hold.
public struct BrokenProperty: Error, CustomStringConvertible {
    /// What was expected.
    public let description: String
}

/// What must hold.
func demand(_ condition: Bool, _ expected: @autoclosure () -> String) throws {
    if !condition { throw BrokenProperty(description: expected()) }
}

/// What must be there.
func demand<Value>(_ value: Value?, _ expected: @autoclosure () -> String) throws -> Value {
    guard let value else { throw BrokenProperty(description: expected()) }
    return value
}
