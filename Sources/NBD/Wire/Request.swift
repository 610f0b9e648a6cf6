internal import Blocks

/// A request's header:
///
///     magic:32 flags:16 type:16 cookie:64 offset:64 length:32, then `length` bytes of payload if it is a write
struct Request: Equatable {
    /// The bytes that it takes up.
    static let size = 28

    var flags: UInt16
    var type: UInt16
    /// Chosen by the client, handed back in the reply.
    var cookie: UInt64
    var offset: UInt64
    var length: UInt32

    init(flags: UInt16 = 0, type: UInt16, cookie: UInt64 = 0, offset: UInt64 = 0, length: UInt32 = 0) {
        self.flags = flags
        self.type = type
        self.cookie = cookie
        self.offset = offset
        self.length = length
    }

    /// The header at the start of `bytes`, which holds at least ``size``; nil if the magic is wrong.
    init?(_ bytes: RawSpan) {
        guard bytes.big(UInt32.self, at: 0) == Magic.request else { return nil }
        flags = bytes.big(UInt16.self, at: 4)
        type = bytes.big(UInt16.self, at: 6)
        cookie = bytes.big(UInt64.self, at: 8)
        offset = bytes.big(UInt64.self, at: 16)
        length = bytes.big(UInt32.self, at: 24)
    }
}

/// What a request turned out to mean, once checked against what was agreed. Ranges lie within the export.
enum Verdict: Equatable {
    case read(ByteRange)
    case write(ByteRange, durably: Bool)
    case flush
    case trim(ByteRange, durably: Bool)
    case zero(ByteRange, mayPunch: Bool, durably: Bool)
    case cache(ByteRange)
    case blockStatus(ByteRange, onlyOne: Bool)
    /// Answered with an error after reading past so many bytes of payload.
    case refuse(NBDError, skipping: Int, because: StaticReason)
    case disconnect
    /// The client broke the protocol beyond repair.
    case close
}

/// Why a request was refused, for people.
enum StaticReason: String {
    case unknownCommand = "unknown command"
    case unknownFlag = "a flag that this command does not take"
    case readOnly = "the export is read-only"
    case outOfRange = "the range ends past the export"
    case tooLong = "the request is longer than the largest block size announced"
    case emptyStatus = "block status of an empty range"
    case noContext = "no meta context was negotiated"
    case misplaced = "a flush has no offset and no length"
    case stopping = "the export is closing"
    case failed = "the device failed"
}

extension Agreement {
    /// What `request` means here. Total: every header has exactly one verdict.
    func judge(_ request: Request) -> Verdict {
        guard let command = Command(rawValue: request.type) else {
            return .refuse(.invalid, skipping: 0, because: .unknownCommand)
        }
        if command == .disconnect { return .disconnect }
        let payload = command == .write ? Int(request.length) : 0
        if payload > Bounds.skippedPayloadMax { return .close }
        func refuse(_ error: NBDError, _ reason: StaticReason) -> Verdict {
            .refuse(error, skipping: payload, because: reason)
        }
        let flags = CommandFlags(rawValue: request.flags)
        guard flags.isSubset(of: command.knownFlags(structured: isStructured)) else {
            return refuse(.invalid, .unknownFlag)
        }
        if isReadOnly, command.changesData { return refuse(.notPermitted, .readOnly) }
        if command == .flush {
            return request.offset == 0 && request.length == 0 ? .flush : refuse(.invalid, .misplaced)
        }
        if command == .blockStatus, contexts.isEmpty { return refuse(.invalid, .noContext) }
        guard request.offset <= UInt64(size.bytes), UInt64(request.length) <= UInt64(size.bytes) - request.offset else {
            let isWrite = command == .write || command == .writeZeroes
            return refuse(isWrite ? .noSpace : .invalid, .outOfRange)
        }
        let range = ByteRange(at: ByteOffset(Int(request.offset)), count: ByteCount(Int(request.length)))
        let durably = flags.contains(.fua)
        switch command {
        case .read:
            return range.count.bytes > Bounds.payloadMax ? refuse(.overflow, .tooLong) : .read(range)
        case .write:
            return payload > Bounds.payloadMax ? refuse(.invalid, .tooLong) : .write(range, durably: durably)
        case .trim: return .trim(range, durably: durably)
        case .writeZeroes: return .zero(range, mayPunch: !flags.contains(.noHole), durably: durably)
        case .cache: return .cache(range)
        case .blockStatus:
            return range.isEmpty
                ? refuse(.invalid, .emptyStatus) : .blockStatus(range, onlyOne: flags.contains(.reqOne))
        case .flush, .disconnect: preconditionFailure("judged above")
        }
    }
}

extension Command {
    /// FUA is accepted everywhere, as the specification asks; the others only where they are defined.
    func knownFlags(structured: Bool) -> CommandFlags {
        switch self {
        case .read: structured ? [.fua, .df] : .fua
        case .writeZeroes: [.fua, .noHole, .fastZero]
        case .blockStatus: [.fua, .reqOne]
        case .write, .disconnect, .flush, .trim, .cache: .fua
        }
    }
    var changesData: Bool { self == .write || self == .trim || self == .writeZeroes }
}
