import Blocks
import TestSupport
import Testing

@testable import NBD

@Suite struct NegotiationTests {
    static let size = 1 << 20
    static let disk = Export(name: "disk", device: MemoryDevice(size: ByteCount(size)), description: "a disk")
    static let frozen = Export(
        name: "frozen", device: MemoryDevice(size: 4096, isReadOnly: true), canMultiConn: false)

    struct Outcome {
        var sent: [UInt8] = []
        var agreement: Agreement?
        var isClosed = false
        var rest: [UInt8] = []

        /// The answers after the greeting.
        func answers() throws -> [OptionAnswer] { try OptionAnswer.parse(sent[18...]) }
        /// The types of the answers.
        func types() throws -> [UInt32] { try answers().map(\.type) }
    }

    /// Runs a negotiation on `pieces` until it ends or they do.
    static func run(_ pieces: [[UInt8]]) -> Outcome {
        let exports = TestExports(disk, frozen)
        var negotiation = Negotiation(lookUp: exports.export(named:), listing: exports.listing)
        var outcome = Outcome(sent: negotiation.takeReplies())
        for piece in pieces {
            if outcome.agreement != nil {
                outcome.rest += piece
                continue
            }
            let step = negotiation.receive(piece)
            outcome.sent += negotiation.takeReplies()
            switch step {
            case .awaitMore: continue
            case .secure: Issue.record("TLS was not offered")
            case .transmission(let agreement):
                outcome.agreement = agreement
                outcome.rest = negotiation.takeRest()
            case .close:
                outcome.isClosed = true
                return outcome
            }
        }
        return outcome
    }
    static func run(_ script: [UInt8]) -> Outcome { run([script]) }

    @Test("the greeting is fixed newstyle with NO_ZEROES")
    func greeting() {
        #expect(Self.run([UInt8]()).sent == Array("NBDMAGICIHAVEOPT".utf8) + [0, 3])
    }

    @Test("client flags beyond the two that were offered close the connection", arguments: 0..<32)
    func clientFlags(bit: Int) {
        #expect(Self.run(Say.flags(1 << UInt32(bit))).isClosed == (bit > 1))
    }

    @Test("EXPORT_NAME answers size and flags, with 124 zeros unless the client does without", arguments: [1, 3])
    func exportName(flags: UInt32) throws {
        let outcome = Self.run(Say.flags(flags) + Say.option(.exportName, Array("disk".utf8)))
        var reader = FieldReader(outcome.sent[18...])
        #expect(reader.integer(UInt64.self) == UInt64(Self.size))
        #expect(reader.integer(UInt16.self) == 0b1101_0110_1101)
        #expect(reader.remaining == (flags == 3 ? 0 : 124))
        #expect(outcome.agreement?.isStructured == false)
    }

    @Test("EXPORT_NAME of what does not exist, or is no name, closes", arguments: [Array("none".utf8), [0xff], [0]])
    func exportNameRefused(name: [UInt8]) {
        let outcome = Self.run(Say.flags() + Say.option(.exportName, name))
        #expect(outcome.isClosed && outcome.sent.count == 18)
    }

    @Test("GO tells size, flags and block sizes, and name and description when asked")
    func go() throws {
        let outcome = Self.run(Say.flags() + Say.go("disk", asking: [1, 2, 99]))
        let answers = try outcome.answers()
        #expect(answers.map(\.type) == [3, 3, 3, 3, 1])
        #expect(answers.allSatisfy { $0.option == 7 })
        #expect(answers[0].body == [0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0b1101, 0b0110_1101])
        #expect(answers[1].body == [0, 3, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0])
        #expect(answers[2].body == [0, 1] + Array("disk".utf8))
        #expect(answers[3].body == [0, 2] + Array("a disk".utf8))
        #expect(outcome.agreement?.export.name == "disk")
        #expect(outcome.agreement?.size.bytes == Self.size)
    }

    @Test("a read-only export says so, and offers neither trim nor zeroes")
    func readOnly() throws {
        let outcome = Self.run(Say.flags() + Say.go("frozen"))
        let flags = TransmissionFlags(
            rawValue: UInt16(try outcome.answers()[0].body[10]) << 8
                | UInt16(try outcome.answers()[0].body[11]))
        #expect(flags == [.hasFlags, .readOnly, .sendFlush, .sendFUA, .sendCache])
        #expect(outcome.agreement?.isReadOnly == true)
    }

    @Test("DF is offered only once replies are structured")
    func dontFragment() throws {
        let outcome = Self.run(Say.flags() + Say.option(.structuredReply) + Say.go("disk"))
        #expect(try outcome.types() == [1, 3, 3, 1])
        #expect(try outcome.answers()[1].body[11] & 0x80 != 0)
        #expect(outcome.agreement?.isStructured == true)
    }

    @Test("INFO answers like GO and goes on negotiating")
    func info() throws {
        let outcome = Self.run(Say.flags() + Say.go("disk", .info) + Say.go("none", .info) + Say.go("frozen"))
        #expect(try outcome.types() == [3, 3, 1, OptionReply.unknown.rawValue, 3, 3, 1])
        #expect(outcome.agreement?.export.name == "frozen")
    }

    @Test(
        "GO with a malformed body is invalid and changes nothing",
        arguments: [
            [], [0, 0, 0, 9], [0, 0, 0, 4, 100, 105, 115, 107], [0, 0, 0, 1, 0xff, 0, 0], [0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 7], [0xff, 0xff, 0xff, 0xff, 0, 0], [0, 0, 0, 1, 0, 0, 0],
        ] as [[UInt8]])
    func malformedGo(body: [UInt8]) throws {
        let outcome = Self.run(Say.flags() + Say.option(.go, body) + Say.go("disk"))
        #expect(try outcome.types() == [OptionReply.invalid.rawValue, 3, 3, 1])
    }

    @Test("a name longer than the protocol allows is invalid")
    func longName() throws {
        let outcome = Self.run(Say.flags() + Say.go(String(repeating: "x", count: 4097)))
        #expect(try outcome.types() == [OptionReply.invalid.rawValue])
    }

    @Test("LIST names every export with its description")
    func list() throws {
        let answers = try Self.run(Say.flags() + Say.option(.list)).answers()
        #expect(answers.map(\.type) == [2, 2, 1])
        #expect(answers[0].body == Say.counted("disk") + Array("a disk".utf8))
        #expect(answers[1].body == Say.counted("frozen"))
    }

    @Test("options that take no data refuse it", arguments: [OptionCode.list, .structuredReply])
    func noData(code: OptionCode) throws {
        let outcome = Self.run(Say.flags() + Say.option(code, [1]) + Say.go("disk"))
        #expect(try outcome.types() == [OptionReply.invalid.rawValue, 3, 3, 1])
        #expect(outcome.agreement?.isStructured == false)
    }

    @Test("ABORT is acknowledged and closes")
    func abort() throws {
        let outcome = Self.run(Say.flags() + Say.option(.abort) + Say.go("disk"))
        #expect(outcome.isClosed)
        #expect(try outcome.types() == [1])
    }

    @Test("STARTTLS and unknown options are unsupported", arguments: [0, 4, 5, 11, 12, 1000, UInt32.max])
    func unsupported(code: UInt32) throws {
        let outcome = Self.run(Say.flags() + Say.option(code, [1, 2, 3]) + Say.go("disk"))
        #expect(try outcome.types() == [OptionReply.unsupported.rawValue, 3, 3, 1])
    }

    @Test("contexts need structured replies first", arguments: [OptionCode.listMetaContext, .setMetaContext])
    func contextsNeedStructure(code: OptionCode) throws {
        let outcome = Self.run(Say.flags() + Say.contexts("disk", ["base:allocation"], code))
        #expect(try outcome.types() == [OptionReply.invalid.rawValue])
    }

    @Test(
        "listing contexts takes none, a namespace or a name",
        arguments: [
            ([], ["base:allocation", "varve:dirty"]), (["base:"], ["base:allocation"]), (["varve:"], ["varve:dirty"]),
            (["varve:dirty"], ["varve:dirty"]), (["base:", "base:allocation"], ["base:allocation"]),
            (["other:"], []), (["base:nothing"], []), ([""], []),
        ] as [([String], [String])])
    func listContexts(queries: [String], found: [String]) throws {
        let script = Say.flags() + Say.option(.structuredReply) + Say.contexts("disk", queries, .listMetaContext)
        let answers = try Self.run(script).answers().dropFirst()
        #expect(answers.dropLast().map(\.body) == found.map { [0, 0, 0, 0] + Array($0.utf8) })
        #expect(answers.last?.type == 1)
    }

    @Test("setting contexts selects exact names for the export that was named")
    func setContexts() throws {
        let setUp = Say.flags() + Say.option(.structuredReply)
        let set = Say.contexts("disk", ["varve:dirty", "base:", "base:allocation", "x:y"])
        let outcome = Self.run(setUp + set + Say.go("disk"))
        let answers = try outcome.answers()
        #expect(answers[1].body == [0, 0, 0, 2] + Array("varve:dirty".utf8))
        #expect(answers[2].body == [0, 0, 0, 1] + Array("base:allocation".utf8))
        #expect(outcome.agreement?.contexts == [.dirty, .allocation])
        // Another export than the one they were set for, or set anew: gone.
        #expect(Self.run(setUp + set + Say.go("frozen")).agreement?.contexts == [])
        #expect(Self.run(setUp + set + Say.contexts("disk", []) + Say.go("disk")).agreement?.contexts == [])
        #expect(Self.run(setUp + set + Say.contexts("none", []) + Say.go("disk")).agreement?.contexts == [])
    }

    @Test(
        "malformed context queries are invalid",
        arguments: [
            [], [0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
            [0, 0, 0, 0, 0, 0, 0, 0, 9], [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 65],
            [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xff],
        ] as [[UInt8]])
    func malformedContexts(body: [UInt8]) throws {
        let script = Say.flags() + Say.option(.structuredReply) + Say.option(.setMetaContext, body)
        #expect(try Self.run(script).types() == [1, OptionReply.invalid.rawValue])
    }

    @Test("contexts of an export that does not exist are unknown")
    func unknownExport() throws {
        let script = Say.flags() + Say.option(.structuredReply) + Say.contexts("none", ["base:allocation"])
        #expect(try Self.run(script).types() == [1, OptionReply.unknown.rawValue])
    }

    @Test("an option too long to look at is read past and refused", arguments: [OptionCode.go, .list, .setMetaContext])
    func tooBig(code: OptionCode) throws {
        let long = Say.option(code, [UInt8](repeating: 1, count: Bounds.optionMax + 1))
        #expect(try Self.run(Say.flags() + long + Say.go("disk")).types() == [OptionReply.tooBig.rawValue, 3, 3, 1])
    }

    @Test("an EXPORT_NAME too long closes")
    func tooBigName() {
        let long = Say.option(.exportName, [UInt8](repeating: 65, count: Bounds.optionMax + 1))
        #expect(Self.run(Say.flags() + long).isClosed)
    }

    @Test("an option that claims gigabytes closes at once")
    func absurdLength() {
        var header = Say.option(.go).dropLast(4)
        header += [0xff, 0xff, 0xff, 0xff]
        #expect(Self.run(Say.flags() + header).isClosed)
    }

    @Test("a wrong magic closes")
    func wrongMagic() {
        #expect(Self.run(Say.flags() + [UInt8](repeating: 7, count: 16)).isClosed)
    }

    @Test("a client that never settles is let go")
    func tooManyOptions() {
        let endless = Array(repeatElement(Say.option(.startTLS), count: Bounds.optionCountMax + 1).joined())
        #expect(Self.run(Say.flags() + endless).isClosed)
    }

    /// A script with every kind of option, and requests behind it.
    static let longScript =
        Say.flags() + Say.option(.startTLS) + Say.option(.list) + Say.option(.structuredReply)
        + Say.contexts("disk", [], .listMetaContext) + Say.contexts("disk", ["base:allocation", "varve:dirty"])
        + Say.go("none") + Say.go("disk", asking: [1, 2, 3], .info) + Say.option(77, [1, 2, 3])
        + Say.go("disk", asking: [3]) + Say.request(.disconnect)

    @Test("where the bytes are split makes no difference")
    func splitAnywhere() {
        let script = Self.longScript, whole = Self.run(script)
        #expect(whole.agreement?.contexts == [.allocation, .dirty] && whole.rest == Say.request(.disconnect))
        for split in 0...script.count {
            let parts = Self.run([Array(script[..<split]), Array(script[split...])])
            #expect(parts.sent == whole.sent && parts.rest == whole.rest, "split at \(split)")
        }
        let single = Self.run(script.map { [$0] })
        #expect(single.sent == whole.sent && single.rest == whole.rest)
    }

    @Test("no bytes can make it trap or hold much", arguments: Seed.some(fixed: 20, fresh: 20))
    func hostile(seed: Seed) {
        var random = SplitMix(seed.number)
        for _ in 0..<200 {
            var script = Self.longScript
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let position = Int.random(in: 4..<script.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: script[position] = .random(in: 0...255, using: &random)
                case 1: script.removeSubrange(position..<min(script.count, position + 3))
                case 2: script.insert(.random(in: 0...255, using: &random), at: position)
                default: script[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            }
            _ = Self.run([script])
            _ = Self.run([(0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }])
        }
    }
}

/// A small repeatable random generator.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
