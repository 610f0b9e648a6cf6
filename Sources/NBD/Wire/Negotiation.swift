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
        /// Send the replies, shake hands for TLS, then call ``secured()``; nothing in between is taken in.
        case secure
        /// Send the replies; what ``takeRest()`` has belongs to the transmission phase.
        case transmission(Agreement)
        /// Send the replies, if any, and close.
        case close
    }
    enum Phase {
        case clientFlags, options
        /// Reading past the data of an option that is too long.
        case skipping(option: UInt32, remaining: Int)
        /// STARTTLS was acknowledged, TLS does not run yet.
        case securing
        case done, closed
    }
    /// Is there TLS, and must there be?
    enum Encryption {
        case off, offered, required, active
    }

    let lookUp: (String) -> Export?
    let listing: () -> [ExportListing]
    var encryption: Encryption
    /// Why it closed, where whoever runs the server should know.
    var complaint: String?
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
    ///   - encryption: whether STARTTLS is offered, or even required before anything else.
    init(
        lookUp: @escaping (String) -> Export?, listing: @escaping () -> [ExportListing],
        encryption: Encryption = .off
    ) {
        self.lookUp = lookUp
        self.listing = listing
        self.encryption = encryption
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

    /// TLS runs from now on. What was said before may have been said by anyone, so it counts for nothing: the client
    /// asks again for structured replies and contexts. (Whether it takes 124 zeros is no secret and stays.)
    mutating func secured() {
        guard case .securing = phase else { preconditionFailure("no STARTTLS was acknowledged") }
        precondition(pending.isEmpty, "bytes from before TLS would be taken for the client's")
        phase = .options
        encryption = .active
        isStructured = false
        selected = nil
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
                // A client waits for our word before it begins TLS. What came along is by someone in between, who
                // hopes that we take it for the client's once TLS runs.
                if startsTLS(header), available > 16 + header.length {
                    complaint = "sent more behind STARTTLS without waiting for its answer, as an attacker would"
                    return end()
                }
                optionCount += 1
                let data = pending[used + 16..<used + 16 + header.length]
                used += 16 + header.length
                switch answer(header.option, data) {
                case .awaitMore: continue
                case .secure:
                    phase = .securing
                    return .secure
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
                if encryption == .required {
                    refusePlain(option)
                } else {
                    reply(to: option, .tooBig, text: "an option may be \(Bounds.optionMax) bytes long")
                }
            case .securing:
                complaint = "sent unencrypted bytes after STARTTLS"
                return end()
            case .done: return .awaitMore
            case .closed:
                used = pending.count
                return .close
            }
        }
    }

    /// One that will be acknowledged: with data it is refused, and no TLS follows.
    private func startsTLS(_ header: OptionHeader) -> Bool {
        header.option == OptionCode.startTLS.rawValue && header.length == 0
            && (encryption == .offered || encryption == .required)
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
