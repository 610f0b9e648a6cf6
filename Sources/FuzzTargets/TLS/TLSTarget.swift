internal import Blocks
@testable internal import NBD
@testable internal import TLS

extension FuzzTarget {
    static let tls = FuzzTarget("tls", bytesMax: 2048, seeds: TLSTarget.seeds, TLSTarget.run)
}

/// A connection with TLS, with keys that client and server share. The first byte says what the client is: one that sends
/// any bytes to the handshake, one that sends any bytes to the whole server, or a true one whose bytes are changed on
/// their way.
enum TLSTarget {
    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let setup = try TLSSetup.shared.get()
        switch input.choice(4) {
        case 0: try handshake(&input, setup)
        case 1: try connection(&input, setup)
        default: try conversation(&input, setup)
        }
    }

    private static func handshake(_ input: inout FuzzInput, _ setup: TLSSetup) throws {
        let stream = ScriptedStream(pieces(&input))
        do throws(SecurityFailure) { _ = try setup.security.secure(stream, within: .seconds(20)) } catch {
            return try demand(!error.description.isEmpty, "a refusal says why")
        }
        throw BrokenProperty(description: "nobody is let in without a key")
    }

    /// Where TLS is required nobody without it learns of an export, let alone reaches one.
    private static func connection(_ input: inout FuzzInput, _ setup: TLSSetup) throws {
        let isRequired = input.choice(4) > 0
        let stream = ScriptedStream(pieces(&input)), table = OneDisk(), told = Guarded(0)
        let connection = Connection(
            session: Session(stream), registry: SessionRegistry(), exports: table,
            tls: TLSOffer(security: setup.security, isRequired: isRequired), peer: "fuzz",
            report: { line in told.change { $0 += line.isEmpty ? 1000 : 1 } })
        connection.run()
        try demand(told.withLock { $0 } <= 1, "a client is reported once, with a reason")
        if isRequired { try demand(table.asked == 0, "exports are looked up behind TLS only") }
    }

    private static func pieces(_ input: inout FuzzInput) -> [ArraySlice<UInt8>] {
        let step = 1 + Int(input.number(UInt16.self)), wire = input.rest()
        return stride(from: 0, to: wire.count, by: step).map { wire[$0..<min($0 + step, wire.count)] }
    }

    /// What the server reads is what the client said, or the beginning of it. All of it if nobody interfered.
    private static func conversation(_ input: inout FuzzInput, _ setup: TLSSetup) throws {
        let context = input.flag() ? setup.newest : setup.older
        let messages = (0..<input.choice(4)).map { index in
            [UInt8](repeating: UInt8(index + 1), count: Int(input.number(UInt16.self)))
        }
        let puppet = TLSPuppet(context, messages, input)
        let said = Array(messages.joined())
        var heard: [UInt8] = [], isLetIn = false
        do {
            let stream = try setup.security.secure(puppet, within: .seconds(20))
            isLetIn = true
            try stream.say([1, 2, 3])
            while let more = try stream.hear() { heard += more }
            stream.endSending()
        } catch is SecurityFailure {
        } catch is StreamFailure {}
        try demand(said.starts(with: heard), "\(heard.count) bytes are heard that were not said")
        if !puppet.isTamperedWith { try demand(isLetIn && heard == said, "who has the key is heard") }
    }

    static func seeds() throws -> [[UInt8]] {
        // Any bytes: a true client's first flight, and the plain part of a negotiation.
        let puppet = TLSPuppet(try TLSSetup.shared.get().newest, [], FuzzInput([]))
        let hello = try puppet.hear() ?? []
        var wire: [UInt8] = []
        wire.append(big: UInt32(3))
        for code in [8, 5] as [UInt32] {
            wire.append(big: Magic.option)
            wire.append(big: code)
            wire.append(big: UInt32(0))
        }
        var all: [[UInt8]] = [[0, 255, 255] + hello, [0, 4, 0] + hello, [1, 1, 35, 0] + wire + hello]
        all.append([1, 0, 255, 0] + wire)
        // A true one: left alone, then one change to each of its first flights.
        for version in [0, 1] as [UInt8] {
            all.append([2, version, 2, 5, 0, 0, 70])
            for change in 8..<16 as Range<UInt8> {
                for flight in 0..<3 {
                    all.append(
                        [2, version, 2, 5, 0, 0, 70] + [UInt8](repeating: 0, count: flight * 2) + [0, change, 9])
                }
            }
        }
        return all
    }
}

/// Counts who asks.
private final class OneDisk: ExportTable {
    private let count = Guarded(0)
    private let disk = Export(name: "disk", device: MemoryDevice(size: 4096))

    var asked: Int { count.withLock { $0 } }

    func export(named name: String) -> Export? {
        count.change { $0 += 1 }
        return disk
    }
    func listing() -> [ExportListing] {
        count.change { $0 += 1 }
        return [ExportListing(name: disk.name)]
    }
}

extension ByteStream {
    fileprivate func say(_ bytes: [UInt8]) throws(StreamFailure) {
        try bytes.readBytes { (bytes) throws(StreamFailure) in try send(bytes) }
    }

    /// What comes next; nil at the end.
    fileprivate func hear() throws(StreamFailure) -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 5000)
        let received = try piece.writeBytes { (span) throws(StreamFailure) in
            var none = MutableRawSpan()
            return try receive(into: &span, then: &none, wait: true)
        }
        guard case .bytes(let count) = received else { return nil }
        return Array(piece.prefix(count))
    }
}
