internal import Blocks
@testable internal import NBD

extension FuzzTarget {
    static let negotiation = FuzzTarget(
        "nbd-negotiation", bytesMax: 4096, seeds: NegotiationTarget.seeds, NegotiationTarget.run)
}

/// A client that negotiates. The first byte says how the bytes are made and cut into pieces, the second what there
/// is of TLS. After STARTTLS a client waits, so what it says comes in flights, which end where it does.
enum NegotiationTarget {
    private static let exports = [
        Export(name: "disk", device: MemoryDevice(size: 65_536), description: "a disk"),
        Export(name: "read-only", device: MemoryDevice(size: 4096), isReadOnly: true),
        Export(name: "", device: MemoryDevice(size: 512)),
    ]

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let style = input.byte()
        let encryption = input.pick([Negotiation.Encryption.off, .offered, .required])
        let flights = style & 1 == 0 ? [input.rest()] : compose(&input)
        let received = flights.reduce(0) { $0 + $1.count }
        let whole = try Outcome(of: flights, encryption)
        try whole.check(received: received)
        let step = 1 + Int(style >> 1) % 64
        let inPieces = try Outcome(of: flights, encryption, step: step)
        // What was pushed in behind STARTTLS is found out before or after that was acknowledged.
        let isSame = whole.isIntrusion ? inPieces.isIntrusion : whole == inPieces
        try demand(isSame, "pieces of \(step) bytes end in \(inPieces.end), the whole in \(whole.end)")
        if encryption == .off { try demand(whole.securedAt == nil, "no TLS runs where there is none") }
        if let start = whole.securedAt, received / 16 < Bounds.optionCountMax {
            let flags = Array(flights.joined().prefix(4))
            let fresh = try Outcome(of: [flags] + flights[start...], .active)
            try demand(
                fresh.end == whole.end && fresh.rest == whole.rest,
                "what was said before TLS counts for nothing: \(whole.end), from then on alone \(fresh.end)")
        }
    }

    /// Options with right magic numbers and lengths, so that mutations get past them.
    private static func compose(_ input: inout FuzzInput) -> [[UInt8]] {
        var flights: [[UInt8]] = []
        var wire: [UInt8] = []
        wire.append(big: UInt32(input.choice(4)))
        while !input.isEmpty {
            let code = UInt32(input.choice(12))
            var data: [UInt8] = []
            switch input.choice(4) {
            case 0: data = input.piece()
            case 1:
                append(name(&input), to: &data)
                let types = input.take(input.choice(5))
                data.append(big: UInt16(types.count))
                for type in types { data.append(big: UInt16(type % 5)) }
            case 2:
                append(name(&input), to: &data)
                let count = input.choice(4)
                data.append(big: UInt32(count))
                for _ in 0..<count {
                    append(Array(input.pick(["base:allocation", "varve:dirty", "base:", "x"]).utf8), to: &data)
                }
            default: data = name(&input)
            }
            wire.append(big: Magic.option)
            wire.append(big: code)
            wire.append(big: UInt32(data.count))
            wire += data
            if code == OptionCode.startTLS.rawValue, input.choice(4) > 0 {
                flights.append(wire)
                wire = []
            }
        }
        return flights + [wire]
    }

    private static func name(_ input: inout FuzzInput) -> [UInt8] {
        switch input.choice(4) {
        case 0: input.piece()
        case 1: Array("read-only".utf8)
        case 2: []
        default: Array("disk".utf8)
        }
    }

    private static func append(_ name: [UInt8], to data: inout [UInt8]) {
        data.append(big: UInt32(name.count))
        data += name
    }

    /// What a negotiation led to.
    private struct Outcome: Equatable {
        var end = "awaiting more"
        var replies: [UInt8]
        var rest: [UInt8] = []
        /// The flight with which TLS began.
        var securedAt: Int?
        /// Did it close because of bytes behind STARTTLS?
        var isIntrusion = false

        init(of flights: [[UInt8]], _ encryption: Negotiation.Encryption, step: Int = .max) throws {
            var negotiation = Negotiation(
                lookUp: { name in exports.first { $0.name == name } },
                listing: { exports.map { ExportListing(name: $0.name, description: $0.description) } },
                encryption: encryption)
            replies = negotiation.takeReplies()
            for (index, flight) in flights.enumerated() {
                var left = flight[...]
                while !left.isEmpty {
                    let piece = left.prefix(step)
                    left = left.dropFirst(piece.count)
                    let result = negotiation.receive(piece)
                    replies += negotiation.takeReplies()
                    switch result {
                    case .awaitMore:
                        try demand(negotiation.pending.count <= Bounds.optionMax + 16, "it keeps one option at most")
                        continue
                    case .secure:
                        guard left.isEmpty else {
                            guard case .close = negotiation.receive(left) else {
                                throw BrokenProperty(description: "bytes behind STARTTLS end it")
                            }
                            end = "closed"
                            isIntrusion = true
                            return
                        }
                        negotiation.secured()
                        securedAt = index + 1
                        continue
                    case .close:
                        end = "closed"
                        isIntrusion = negotiation.complaint?.contains("behind STARTTLS") ?? false
                    case .transmission(let agreement):
                        try demand(encryption != .required || securedAt != nil, "no export without the TLS required")
                        end =
                            "\(agreement.export.name) \(agreement.size) \(agreement.isReadOnly) "
                            + "\(agreement.isStructured) \(agreement.contexts)"
                        rest = negotiation.takeRest() + left + flights[(index + 1)...].joined()
                    }
                    return
                }
            }
        }

        /// Replies are whole, and in proportion to what came.
        func check(received: Int) throws {
            try demand(
                replies.count <= 18 + 134 + received + (received / 16 + 1) * 1024,
                "\(replies.count) bytes of replies to \(received)")
            var reader = FieldReader(replies[...])
            let greeting = (reader.integer(UInt64.self), reader.integer(UInt64.self), reader.integer(UInt16.self))
            try demand(greeting == (Magic.greeting, Magic.option, 3), "it begins with the greeting")
            while reader.remaining > 0 {
                let tail = reader.remaining
                guard reader.integer(UInt64.self) == Magic.optionReply else {
                    return try demand([10, 134].contains(tail) && end != "closed", "what is no reply is an export")
                }
                _ = reader.integer(UInt64.self)
                let count = Int(try demand(reader.integer(UInt32.self), "a reply has a length"))
                try demand(count <= reader.remaining, "a reply is whole")
                for _ in 0..<count { _ = reader.integer(UInt8.self) }
            }
        }
    }

    static func seeds() -> [[UInt8]] {
        var composed = SeedBuilder(1 | 8 << 1, 0, 3)
        for option in [8, 3, 6, 10, 9, 5, 7] as [UInt8] {
            composed.add(option)
            switch option {
            case 6, 7: composed.add(1, 3, 2, 0, 3)
            case 9, 10: composed.add(2, 3, 2, 0, 1)
            default: composed.add(0, 0, 0)
            }
        }
        var listing = SeedBuilder(1, 0, 1)
        for _ in 0..<4 { listing.add(3, 0, 0, 0) }
        var entering = SeedBuilder(1, 0, 1)
        entering.add(1, 3, 3)
        var raw = SeedBuilder(0, 1)
        var wire: [UInt8] = []
        wire.append(big: UInt32(3))
        for (code, data) in [(6, [0, 0, 0, 4] + Array("disk".utf8) + [0, 0]), (5, []), (2, [])] as [(UInt32, [UInt8])] {
            wire.append(big: Magic.option)
            wire.append(big: code)
            wire.append(big: UInt32(data.count))
            wire += data
        }
        raw.add(rest: wire)
        return [composed.bytes, listing.bytes, entering.bytes, raw.bytes] + securing
    }

    /// STARTTLS, offered and required: waiting for its answer, with more behind it, with data, and twice.
    private static var securing: [[UInt8]] {
        let starts: [[UInt8]] = [
            [5, 0, 0, 0, 1], [5, 0, 0, 0, 0], [5, 0, 1, 0, 7, 1], [5, 0, 0, 0, 1, 5, 0, 0, 0, 1],
        ]
        return [UInt8](1...2).flatMap { encryption in
            starts.map { start in
                var seed = SeedBuilder(1 | 8 << 1, encryption, 3)
                seed.add(8, 0, 0, 0)
                seed.add(rest: start)
                seed.add(10, 2, 3, 2, 0, 1)
                seed.add(7, 1, 3, 2, 0, 3)
                return seed.bytes
            }
        }
    }
}
