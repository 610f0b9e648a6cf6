internal import Blocks

/// What an NBD client and we have agreed so far. Pure: no socket, no clock, no lock.
///
///     server: NBDMAGIC IHAVEOPT flags:16          client: flags:32
///     client: IHAVEOPT option:32 length:32 data   server: replies, the last one final   (again and again)
///
/// Bytes go in as they come, in any pieces; what must be sent comes out of ``takeReplies()``. Nothing that a client
/// sends can trap or make it keep more than ``Bounds/optionMax`` bytes.
struct Negotiation {
    /// What to do after some bytes were taken in.
    enum Step {
        /// Send the replies, then bring more bytes.
        case awaitMore
        /// Send the replies; what ``takeRest()`` has belongs to the transmission phase.
        case transmission(Agreement)
        /// Send the replies, if any, and close.
        case close
    }
    enum Phase {
        case clientFlags, options
        /// Reading past the data of an option that is too long.
        case skipping(option: UInt32, remaining: Int)
        case done, closed
    }

    let lookUp: (String) -> Export?
    let listing: () -> [ExportListing]
    var phase = Phase.clientFlags
    var pending: [UInt8] = []
    var optionCount = 0
    var omitsZeroes = false
    var replies: [UInt8] = []
    var isStructured = false
    /// The contexts of the last SET_META_CONTEXT, and the export they were set for.
    var selected: (export: String, contexts: [MetaContext])?

    /// - Parameters:
    ///   - lookUp: the export of a name; may be asked several times.
    ///   - listing: what a LIST shows.
    init(lookUp: @escaping (String) -> Export?, listing: @escaping () -> [ExportListing]) {
        self.lookUp = lookUp
        self.listing = listing
        replies.append(big: Magic.greeting)
        replies.append(big: Magic.option)
        replies.append(big: HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes)
    }

    /// What must be sent now. The greeting is there from the start.
    mutating func takeReplies() -> [UInt8] {
        defer { replies = [] }
        return replies
    }

    /// Bytes that came after negotiation had ended.
    mutating func takeRest() -> [UInt8] {
        defer { pending = [] }
        return pending
    }

    /// Takes in what arrived.
    mutating func receive(_ bytes: some Sequence<UInt8>) -> Step {
        pending.append(contentsOf: bytes)
        var used = 0
        defer { pending.removeFirst(used) }
        while true {
            let available = pending.count - used
            switch phase {
            case .clientFlags:
                guard available >= 4 else { return .awaitMore }
                used += 4
                if !acceptClientFlags() { return end() }
            case .options:
                guard available >= 16 else { return .awaitMore }
                var reader = FieldReader(pending[used...])
                guard let header = OptionHeader(&reader), optionCount < Bounds.optionCountMax,
                    header.length <= Bounds.skippedOptionMax
                else { return end() }
                if header.length > Bounds.optionMax {
                    used += 16
                    optionCount += 1
                    phase = .skipping(option: header.option, remaining: header.length)
                    continue
                }
                guard available >= 16 + header.length else { return .awaitMore }
                optionCount += 1
                let data = pending[used + 16..<used + 16 + header.length]
                used += 16 + header.length
                switch answer(header.option, data) {
                case .awaitMore: continue
                case .transmission(let agreement):
                    phase = .done
                    return .transmission(agreement)
                case .close: return end()
                }
            case .skipping(let option, let remaining):
                let skipped = min(remaining, available)
                used += skipped
                phase = .skipping(option: option, remaining: remaining - skipped)
                guard skipped == remaining else { return .awaitMore }
                phase = .options
                // A name that long cannot exist, and EXPORT_NAME has no way to say so.
                if option == OptionCode.exportName.rawValue { return end() }
                reply(to: option, .tooBig, text: "an option may be \(Bounds.optionMax) bytes long")
            case .done: return .awaitMore
            case .closed:
                used = pending.count
                return .close
            }
        }
    }

    private mutating func end() -> Step {
        phase = .closed
        return .close
    }

    private mutating func acceptClientFlags() -> Bool {
        var reader = FieldReader(pending[...])
        let known = UInt32(HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes)
        guard let flags = reader.integer(UInt32.self), flags & ~known == 0 else { return false }
        omitsZeroes = flags & UInt32(HandshakeFlag.noZeroes) != 0
        phase = .options
        return true
    }

    private struct OptionHeader {
        let option: UInt32
        let length: Int

        /// Nil when the magic is wrong. The reader must hold 16 bytes.
        init?(_ reader: inout FieldReader) {
            guard reader.integer(UInt64.self) == Magic.option, let option = reader.integer(UInt32.self),
                let length = reader.integer(UInt32.self)
            else { return nil }
            self.option = option
            self.length = Int(length)
        }
    }
}
