import Testing

@testable import NBD

/// STARTTLS in negotiation, without TLS: what is refused before it, and what is forgotten after it.
@Suite struct StartTLSTests {
    struct Outcome {
        var sent: [UInt8] = []
        var agreement: Agreement?
        var isClosed = false, isSecuring = false
        var complaint: String?
        var asked: [String] = []
        func types() throws -> [UInt32] { try OptionAnswer.parse(sent[18...]).map(\.type) }
    }

    /// Takes in `plain`, and `secret` once TLS was begun. `secret` nil: bytes go on to come in plain.
    static func run(_ encryption: Negotiation.Encryption, _ plain: [[UInt8]], secret: [UInt8] = []) -> Outcome {
        final class Asked { var names: [String] = [] }
        let asked = Asked(), exports = TestExports(NegotiationTests.disk)
        let lookUp = { (name: String) -> Export? in
            asked.names.append(name)
            return exports.export(named: name)
        }
        var negotiation = Negotiation(lookUp: lookUp, listing: exports.listing, encryption: encryption)
        var outcome = Outcome(sent: negotiation.takeReplies())
        var pieces = plain[...]
        while let piece = pieces.popFirst() {
            switch negotiation.receive(piece) {
            case .awaitMore: break
            case .secure:
                outcome.isSecuring = true
                if pieces.isEmpty {
                    negotiation.secured()
                    pieces = [secret]
                }
            case .transmission(let agreement): outcome.agreement = agreement
            case .close:
                outcome.isClosed = true
                pieces = []
            }
            outcome.sent += negotiation.takeReplies()
        }
        outcome.complaint = negotiation.complaint
        outcome.asked = asked.names
        return outcome
    }

    @Test(
        "where TLS is required every option is refused without it, and no export is looked up",
        arguments: [0, 3, 4, 6, 7, 8, 9, 10, 11, 1000] as [UInt32])
    func required(code: UInt32) throws {
        let bodies: [[UInt8]] = [
            [], [1, 2, 3], Say.counted("disk") + [0, 0], [UInt8](repeating: 0, count: Bounds.optionMax + 1),
        ]
        for body in bodies {
            let outcome = Self.run(.required, [Say.flags() + Say.option(code, body) + Say.option(code)])
            let types = try outcome.types()
            #expect(types == [OptionReply.tlsRequired.rawValue, OptionReply.tlsRequired.rawValue])
            #expect(outcome.asked.isEmpty && !outcome.isClosed && outcome.agreement == nil)
        }
    }

    @Test("EXPORT_NAME without required TLS closes and is reported; ABORT is acknowledged")
    func exportName() throws {
        let entered = Self.run(.required, [Say.flags() + Say.option(.exportName, Array("disk".utf8))])
        #expect(entered.isClosed && entered.agreement == nil && entered.asked.isEmpty)
        #expect(entered.complaint?.contains("nbds://") == true && entered.sent.count == 18)
        let aborted = Self.run(.required, [Say.flags() + Say.option(.abort)])
        #expect(aborted.isClosed && aborted.complaint == nil)
        #expect(try aborted.types() == [1])
    }

    @Test(
        "STARTTLS with data is refused and the next option answered, in whatever pieces both come",
        arguments: [Negotiation.Encryption.offered, .required], [1, 18, 21, 1000])
    func withData(encryption: Negotiation.Encryption, step: Int) throws {
        let wire = Say.flags() + Say.option(.startTLS, [1]) + Say.option(.startTLS)
        let pieces = stride(from: 0, to: wire.count, by: step).map {
            Array(wire[$0..<min($0 + step, wire.count)])
        }
        let outcome = Self.run(encryption, pieces)
        #expect(!outcome.isClosed && outcome.isSecuring && outcome.complaint == nil)
        #expect(try outcome.types() == [OptionReply.invalid.rawValue, OptionReply.ack.rawValue])
    }

    @Test("after the handshake everything goes, also where TLS was required", arguments: [true, false])
    func afterwards(required: Bool) throws {
        let outcome = Self.run(
            required ? .required : .offered, [Say.flags(), Say.option(.startTLS)],
            secret: Say.option(.startTLS) + Say.option(.structuredReply) + Say.go("disk"))
        #expect(try outcome.types() == [1, OptionReply.invalid.rawValue, 1, 3, 3, 1])
        #expect(outcome.agreement?.isStructured == true)
    }

    @Test("where TLS is offered clients may do without")
    func offered() throws {
        let outcome = Self.run(.offered, [Say.flags() + Say.go("disk")])
        #expect(outcome.agreement != nil)
    }

    @Test("what was agreed before TLS is forgotten")
    func forgets() throws {
        let before =
            Say.flags() + Say.option(.structuredReply) + Say.contexts("disk", ["base:allocation"])
            + Say.option(.startTLS)
        let outcome = Self.run(.offered, [before], secret: Say.go("disk"))
        #expect(outcome.agreement?.isStructured == false && outcome.agreement?.contexts == [])
        let contexts = Self.run(.offered, [before], secret: Say.contexts("disk", ["base:allocation"]))
        #expect(try contexts.types().last == OptionReply.invalid.rawValue)
    }

    @Test("STARTTLS takes no data")
    func noData() throws {
        let outcome = Self.run(.required, [Say.flags() + Say.option(.startTLS, [1])])
        #expect(try outcome.types() == [OptionReply.invalid.rawValue])
        #expect(!outcome.isSecuring)
    }

    @Test(
        "bytes that came along with STARTTLS close the connection, unacknowledged",
        arguments: [[0], Say.option(.structuredReply), Say.go("disk"), [22, 3, 1, 2, 0, 1]] as [[UInt8]])
    func injection(bytes: [UInt8]) throws {
        for encryption in [Negotiation.Encryption.offered, .required] {
            let outcome = Self.run(encryption, [Say.flags(), Say.option(.startTLS) + bytes])
            #expect(outcome.isClosed && !outcome.isSecuring && outcome.complaint != nil)
            #expect(try outcome.types() == [])
        }
    }

    @Test("bytes that are passed on between STARTTLS and the end of the handshake close the connection")
    func meanwhile() throws {
        let outcome = Self.run(.required, [Say.flags(), Say.option(.startTLS), Say.go("disk")])
        #expect(outcome.isClosed && outcome.isSecuring && outcome.agreement == nil && outcome.asked.isEmpty)
    }

    @Test("where STARTTLS is split makes no difference")
    func split() throws {
        let script = Say.flags() + Say.option(.startTLS)
        for position in 0...script.count {
            let outcome = Self.run(
                .required, [Array(script[..<position]), Array(script[position...])].filter { !$0.isEmpty },
                secret: Say.go("disk"))
            #expect(outcome.agreement != nil, "split at \(position)")
        }
    }
}
