import Blocks
import Testing

@testable import NBD

@Suite struct RequestTests {
    static let size = 1 << 30

    static func agreement(readOnly: Bool = false, structured: Bool = true, contexts: [MetaContext] = [.allocation])
        -> Agreement
    {
        Agreement(
            export: Export(name: "disk", device: MemoryDevice(size: ByteCount(size))), size: ByteCount(size),
            isReadOnly: readOnly, isStructured: structured, contexts: contexts)
    }
    static func judge(
        _ command: Command, _ flags: CommandFlags = [], _ offset: UInt64 = 0, _ length: UInt32 = 0,
        _ agreement: Agreement = agreement()
    ) -> Verdict {
        agreement.judge(
            Request(flags: flags.rawValue, type: command.rawValue, offset: offset, length: length))
    }
    static func error(_ verdict: Verdict) -> NBDError? {
        if case .refuse(let error, _, _) = verdict { error } else { nil }
    }
    static let all: [Command] = [.read, .write, .disconnect, .flush, .trim, .cache, .writeZeroes, .blockStatus]

    @Test("a header is read back as it was sent")
    func header() {
        let bytes = Say.request(
            4, flags: 0x1234, cookie: 0x0102_0304_0506_0708, offset: 1 << 63 | 5, length: 0xdead_beef)
        let request = bytes.readBytes { Request($0) }
        #expect(
            request
                == Request(
                    flags: 0x1234, type: 4, cookie: 0x0102_0304_0506_0708, offset: 1 << 63 | 5, length: 0xdead_beef))
        for bit in 0..<32 {
            var wrong = bytes
            wrong[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(wrong.readBytes { Request($0) } == nil)
        }
    }

    @Test("unknown commands are invalid and carry no payload", arguments: [8, 9, 100, UInt16.max])
    func unknownCommand(type: UInt16) {
        let verdict = Self.agreement().judge(Request(type: type, length: 4096))
        #expect(verdict == .refuse(.invalid, skipping: 0, because: .unknownCommand))
    }

    @Test("each flag is accepted just where it is defined, FUA everywhere", arguments: all)
    func flags(command: Command) {
        guard command != .disconnect else { return }
        let length: UInt32 = command == .flush ? 0 : 512
        for bit in 0..<16 {
            let flag = CommandFlags(rawValue: 1 << UInt16(bit))
            let isDefined =
                switch (command, flag) {
                case (_, .fua), (.read, .df), (.writeZeroes, .noHole), (.writeZeroes, .fastZero): true
                case (.blockStatus, .reqOne): true
                default: false
                }
            let verdict = Self.judge(command, flag, 0, length)
            #expect(Self.error(verdict) == (isDefined ? nil : .invalid), "\(command) with bit \(bit)")
        }
    }

    @Test("DF without structured replies is a flag out of place")
    func dfUnstructured() {
        #expect(Self.error(Self.judge(.read, .df, 0, 512, Self.agreement(structured: false))) == .invalid)
    }

    @Test("what changes data is not permitted on a read-only export", arguments: all)
    func readOnly(command: Command) {
        let isChange = [.write, .trim, .writeZeroes].contains(command)
        let verdict = Self.judge(command, [], 0, command == .flush ? 0 : 512, Self.agreement(readOnly: true))
        #expect(Self.error(verdict) == (isChange ? .notPermitted : nil))
    }

    @Test("past the end: no space for writes and zeroes, invalid for the rest", arguments: all)
    func outOfRange(command: Command) {
        guard command != .disconnect, command != .flush else { return }
        let expected: NBDError = command == .write || command == .writeZeroes ? .noSpace : .invalid
        let size = UInt64(Self.size)
        for (offset, length) in [
            (size, 1), (size - 511, 512), (size + 1, 0), (UInt64.max, 1), (UInt64.max - 510, 512), (1 << 63, 512),
        ] as [(UInt64, UInt32)] {
            let verdict = Self.judge(command, [], offset, length)
            #expect(Self.error(verdict) == expected, "\(offset)+\(length)")
            if command == .write {
                guard case .refuse(_, let skipping, _) = verdict else { continue }
                #expect(skipping == Int(length))
            }
        }
        #expect(Self.error(Self.judge(command, [], size - 512, 512)) == nil)
    }

    @Test("zero length is fine, except that the status of nothing is invalid", arguments: all)
    func zeroLength(command: Command) {
        let verdict = Self.judge(command, [], command == .flush ? 0 : UInt64(Self.size), 0)
        #expect(Self.error(verdict) == (command == .blockStatus ? .invalid : nil))
    }

    @Test("payloads above 32 MiB are refused: reads overflow, writes are read past, absurd ones close")
    func oversize() {
        let max = UInt32(Bounds.payloadMax)
        #expect(Self.judge(.read, [], 0, max) == .read(ByteRange(at: 0, count: ByteCount(Int(max)))))
        #expect(Self.error(Self.judge(.read, [], 0, max + 1)) == .overflow)
        #expect(Self.error(Self.judge(.read, .df, 0, max + 1)) == .overflow)
        #expect(Self.error(Self.judge(.write, [], 0, max)) == nil)
        #expect(
            Self.judge(.write, [], 0, max + 1) == .refuse(.invalid, skipping: Int(max) + 1, because: .tooLong))
        #expect(Self.judge(.write, [], 0, UInt32(Bounds.skippedPayloadMax) + 1) == .close)
        for command in [Command.trim, .writeZeroes, .cache, .blockStatus] {
            #expect(Self.error(Self.judge(command, [], 0, UInt32(Self.size))) == nil)
        }
    }

    @Test("a flush has neither offset nor length")
    func flush() {
        #expect(Self.judge(.flush) == .flush)
        #expect(Self.error(Self.judge(.flush, [], 1, 0)) == .invalid)
        #expect(Self.error(Self.judge(.flush, [], 0, 1)) == .invalid)
    }

    @Test("block status needs a context")
    func noContext() {
        #expect(Self.error(Self.judge(.blockStatus, [], 0, 512, Self.agreement(contexts: []))) == .invalid)
        #expect(
            Self.judge(.blockStatus, .reqOne, 512, 512)
                == .blockStatus(ByteRange(at: 512, count: 512), onlyOne: true))
    }

    @Test("flags reach the verdict")
    func verdicts() {
        let range = ByteRange(at: 512, count: 1024)
        #expect(Self.judge(.write, .fua, 512, 1024) == .write(range, durably: true))
        #expect(Self.judge(.trim, .fua, 512, 1024) == .trim(range, durably: true))
        #expect(Self.judge(.writeZeroes, [], 512, 1024) == .zero(range, mayPunch: true, durably: false))
        #expect(Self.judge(.writeZeroes, [.noHole, .fua], 512, 1024) == .zero(range, mayPunch: false, durably: true))
        #expect(Self.judge(.disconnect) == .disconnect)
        #expect(Self.judge(.cache, [], 512, 1024) == .cache(range))
    }

    @Test("a device's failures become the protocol's errors")
    func failures() {
        for (failure, onRead, onWrite) in [
            (.outOfRange, .invalid, .noSpace), (.readOnly, .notPermitted, .notPermitted),
            (.noSpace, .noSpace, .noSpace), (.io(errno: 5), .io, .io), (.io(errno: 27), .noSpace, .noSpace),
            (.corrupt(at: 0), .io, .io), (.unavailable, .io, .io), (.failed, .io, .io),
            (.unsupported, .invalid, .notSupported),
        ] as [(BlockFailure, NBDError, NBDError)] {
            #expect(NBDError(failure, isWrite: false) == onRead)
            #expect(NBDError(failure, isWrite: true) == onWrite)
        }
    }
}
