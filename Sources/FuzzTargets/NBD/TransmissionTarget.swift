internal import Blocks
@testable internal import NBD

extension FuzzTarget {
    static let transmission = FuzzTarget(
        "nbd-transmission", bytesMax: 2048, seeds: TransmissionTarget.seeds, TransmissionTarget.run)
}

/// A client that has negotiated and sends requests: raw bytes, or requests with right magic numbers, their own cookies
/// and whole payloads. Without FUA the server works in order, so a model knows what every read must give.
enum TransmissionTarget {
    private static let size = 1 << 18

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let style = input.byte()
        let agreement = Agreement(
            export: Export(name: "disk", device: MemoryDevice(size: ByteCount(size))), size: ByteCount(size),
            isReadOnly: style & 2 != 0, isStructured: style & 4 != 0,
            contexts: style & 4 != 0 ? MetaContext.allCases : [])
        if style & 1 == 0 {
            _ = serve(input.rest(), agreement, step: 1 << 16)
            return
        }
        let step = input.pick([1 << 16, 28, 1, 4096, 33_000, 7])
        var conversation = Conversation(agreement, &input)
        if style & 8 != 0 { conversation.cutShort(by: 1 + Int(style >> 4)) }
        let sent = serve(conversation.wire, agreement, step: max(step, conversation.wire.count / 2000))
        try conversation.check(sent)
    }

    private static func serve(_ wire: [UInt8], _ agreement: Agreement, step: Int) -> [UInt8] {
        let pieces = stride(from: 0, to: wire.count, by: step).map { wire[$0..<min($0 + step, wire.count)] }
        let stream = ScriptedStream(pieces)
        var transmission = Transmission(Session(stream), stream, agreement, [])
        transmission.run()
        return stream.sent
    }

    static func seeds() -> [[UInt8]] {
        var all: [[UInt8]] = []
        for style in [1, 3, 5, 7] as [UInt8] {
            var seed = SeedBuilder(style, style)
            // write, read, zero, read, trim, cache, status, flush, a range too far, disconnect
            for (type, place, length) in [
                (1, 3, 2), (0, 3, 2), (6, 3, 1), (0, 3, 2), (4, 3, 2), (5, 3, 2), (7, 3, 2), (3, 0, 0), (0, 7, 3),
                (2, 0, 0),
            ] as [(UInt8, UInt8, UInt8)] {
                seed.add(type, 0, place, length)
            }
            all.append(seed.bytes)
        }
        var raw = SeedBuilder(4)
        var wire: [UInt8] = []
        for (type, length) in [(0, 512), (7, 4096), (2, 0)] as [(UInt16, UInt32)] {
            wire.append(big: Magic.request)
            wire.append(big: UInt16(0))
            wire.append(big: type)
            wire.append(big: UInt64(9))
            wire.append(big: UInt64(0))
            wire.append(big: length)
        }
        raw.add(rest: wire)
        return all + [raw.bytes]
    }

    /// Requests, and what their answers must be.
    private struct Conversation {
        var wire: [UInt8] = []
        private let agreement: Agreement
        private var model = [UInt8](repeating: 0, count: size)
        private var requests: [(request: Request, end: Int, expected: [UInt8]?)] = []
        private var isOrdered = true
        /// Does the client hang up within a request? What it asked before may then stay unanswered.
        private var isCutShort = false

        mutating func cutShort(by count: Int) {
            wire.removeLast(min(wire.count, count))
            isCutShort = true
        }

        init(_ agreement: Agreement, _ input: inout FuzzInput) {
            self.agreement = agreement
            while !input.isEmpty, requests.count < 200, wire.count < 1 << 20 { add(Self.next(&input, requests.count)) }
        }

        private static func next(_ input: inout FuzzInput, _ cookie: Int) -> Request {
            let type = UInt16(input.choice(9)), flags = input.byte()
            let offset: UInt64 =
                switch input.choice(8) {
                case 0: 0
                case 1: UInt64(input.number(UInt16.self))
                case 2: input.number(UInt64.self)
                case 7: UInt64(size - input.choice(3) * 512)
                default: UInt64(input.choice(64)) * 4096
                }
            let length: UInt32 =
                switch input.choice(8) {
                case 0: 0
                case 1: UInt32(input.byte()) * 512
                case 2: 4096
                case 3: 33_000
                case 4: input.number(UInt32.self)
                default: UInt32(input.number(UInt16.self))
                }
            return Request(
                flags: UInt16(flags & 31), type: type, cookie: UInt64(cookie), offset: offset, length: length)
        }

        private mutating func add(_ request: Request) {
            // A payload of megabytes would say nothing more.
            if request.type == Command.write.rawValue, request.length > 1 << 17 { return }
            wire.append(big: Magic.request)
            wire.append(big: request.flags)
            wire.append(big: request.type)
            wire.append(big: request.cookie)
            wire.append(big: request.offset)
            wire.append(big: request.length)
            let isWrite = request.type == Command.write.rawValue
            let payload = [UInt8](
                repeating: UInt8(truncatingIfNeeded: request.cookie &+ 1), count: isWrite ? Int(request.length) : 0)
            wire += payload
            if request.flags & CommandFlags.fua.rawValue != 0 { isOrdered = false }
            var expected: [UInt8]?
            switch agreement.judge(request) {
            case .write(let range, _): model.replaceSubrange(range.start.bytes..<range.end.bytes, with: payload)
            case .zero(let range, _, _), .trim(let range, _):
                model.replaceSubrange(
                    range.start.bytes..<range.end.bytes, with: [UInt8](repeating: 0, count: range.count.bytes))
            case .read(let range): expected = Array(model[range.start.bytes..<range.end.bytes])
            case .flush, .cache, .blockStatus, .refuse, .disconnect, .close: break
            }
            requests.append((request, wire.count, expected))
        }

        /// Every request that came whole, up to the end, is answered once; reads give what the model says.
        func check(_ sent: [UInt8]) throws {
            let reads = requests.reduce(into: [UInt64: Int]()) { reads, entry in
                if entry.request.type == Command.read.rawValue {
                    reads[entry.request.cookie] = Int(entry.request.length)
                }
            }
            let answers = try ReplyReader(sent, reads: reads).answers
            var answered = 0, allowed = 0
            for (request, end, expected) in requests {
                let verdict = agreement.judge(request)
                guard end <= wire.count, verdict != .disconnect, verdict != .close else { break }
                if isCutShort, answers[request.cookie] == nil { continue }
                let answer = try demand(answers[request.cookie], "request \(request) is answered")
                try demand(answer.isWhole, "the answer to \(request) has an end")
                answered += 1
                allowed += 256 + (request.type == Command.read.rawValue ? Int(request.length) : 0)
                if request.type == Command.blockStatus.rawValue { allowed += 2 * (24 + 8 * (size / 4096 + 2)) }
                if case .refuse(let error, _, _) = verdict {
                    try demand(answer.error == error.rawValue, "\(request) is refused with \(error)")
                } else {
                    try demand(answer.error == 0, "\(request) succeeds, not \(answer.error)")
                }
                if let expected, isOrdered {
                    try demand(answer.data == expected, "\(request) reads what was written")
                }
            }
            try demand(answers.count == answered, "nothing is answered that was not asked")
            try demand(sent.count <= allowed, "\(sent.count) bytes of answers where \(allowed) would do")
        }
    }
}
