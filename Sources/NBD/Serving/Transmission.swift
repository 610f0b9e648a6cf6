internal import Blocks

/// The transmission phase of one connection, run to completion on its thread.
///
/// All requests that have arrived are carried out in turn, their replies gathered and sent at once; long reads are sent
/// from where they are cached. What would wait for a disk or a store goes to the ``Crew``, whose answers join later
/// batches: replies may overtake each other, as the protocol allows. A request in flight holds its payload or its
/// answer, at most ``jobBytesMax`` in all; beyond that no more is received until some are answered.
struct Transmission: ~Copyable {
    private static let jobCountMax = 128
    private static let jobBytesMax = 64 << 20
    /// A payload from here on is received straight into a buffer of its own.
    private static let bigPayload = 32 << 10
    /// A read from here on is sent from where it is cached, if it can be.
    private static let bigRead: ByteCount = 16_384
    /// Nanoseconds of sleep between looks at what happened meanwhile.
    private static let nap = 5_000_000
    /// A trim or zero up to here is carried out in place.
    private static let briefRange: ByteCount = .mebibytes(1)

    private let session: Session
    private let stream: any ByteStream
    private let agreement: Agreement
    private let device: any BlockDevice
    private let encoder: ReplyEncoder
    private let traffic: Traffic
    /// What this thread counts.
    private let tally: Tally
    private var inbox = Inbox(capacity: 256 << 10)
    private var outbox = Outbox()
    private var payload = PageBuffer(count: Bounds.payloadMax)
    private var crew: Crew?
    private var jobCount = 0
    private var jobBytes = 0
    private var isEnding = false
    private var patience = Patience()
    private var longReads = LongReads()
    /// Requests found since the thread last looked for more.
    private var found = 0

    /// `stream`: the session's, or what made that secure; `rest`: bytes that came with the end of negotiation.
    init(_ session: Session, _ stream: any ByteStream, _ agreement: Agreement, _ rest: [UInt8]) {
        self.session = session
        self.stream = stream
        traffic = session.traffic
        tally = session.traffic.own
        self.agreement = agreement
        device = agreement.export.device
        encoder = ReplyEncoder(isStructured: agreement.isStructured)
        inbox.append(rest)
    }

    /// Serves until the client disconnects, vanishes or breaks the protocol, or the session is stopped. When it
    /// returns no request is in flight; those that were have been answered if the client still listens.
    mutating func run() {
        do throws(StreamFailure) {
            while !isEnding {
                try carryOutAll()
                try collect()
                if isEnding { break }
                patience.note(found, othersInFlight: jobCount > 0)
                found = 0
                if try receive() == .end { isEnding = true }
            }
            while jobCount > 0 { try waitForJob() }
            try outbox.send(to: stream)
        } catch {}
        crew?.close()
    }

    // MARK: Receiving

    /// Brings more bytes into the inbox; sends what is ready before it waits.
    private mutating func receive() throws(StreamFailure) -> Received {
        try exchange { (this, wait) throws(StreamFailure) in
            try this.inbox.fill(from: this.stream, wait: wait)
        }
    }

    /// Receives with `attempt` until something came, sending what is ready before waiting and jobs' answers meanwhile.
    private mutating func exchange(
        _ attempt: (inout Transmission, _ wait: Bool) throws(StreamFailure) -> Received
    ) throws(StreamFailure) -> Received {
        while true {
            try outbox.send(to: stream)
            patience.begin()
            var received = Received.nothingYet
            while received == .nothingYet, patience.looksAgain() {
                received = try attempt(&self, false)
                if received == .nothingYet { OSThread.yield() }
            }
            if received == .nothingYet { received = try attempt(&self, jobCount == 0) }
            if received != .nothingYet { return received }
            if let crew { try stream.waitToReceive(or: crew.signal) }
            try collect()
        }
    }

    /// Receives `count` bytes of payload into ``payload``, part of which may be in the inbox.
    private mutating func receivePayload(_ count: Int) throws(StreamFailure) {
        var arrived = inbox.take(count, into: &payload)
        while arrived < count {
            let rest = arrived..<count
            var received = try Self.fill(&payload, rest, &inbox, stream, wait: false)
            if received == .nothingYet {
                received = try exchange { (this, wait) throws(StreamFailure) in
                    try Self.fill(&this.payload, rest, &this.inbox, this.stream, wait: wait)
                }
            }
            guard case .bytes(let more) = received else { throw .closed }
            arrived += more
        }
    }

    private static func fill(
        _ payload: inout PageBuffer, _ range: Range<Int>, _ inbox: inout Inbox, _ stream: any ByteStream, wait: Bool
    ) throws(StreamFailure) -> Received {
        try inbox.fill(&payload, range, from: stream, wait: wait)
    }

    // MARK: Carrying out

    /// Carries out every request that is here whole.
    private mutating func carryOutAll() throws(StreamFailure) {
        while !isEnding {
            switch inbox.next() {
            case .incomplete: return
            case .garbage: isEnding = true
            case .request(let request):
                guard try carryOut(request) else { return }
                found += 1
            }
        }
    }

    /// Carries out or hands on one request, and takes it out of the inbox. False when its payload is not here yet.
    private mutating func carryOut(_ request: Request) throws(StreamFailure) -> Bool {
        let verdict = session.isStopping ? refusal(of: request) : agreement.judge(request)
        if case .write(let range, let durably) = verdict {
            return try write(range, durably: durably, request)
        }
        inbox.drop(Request.size)
        switch verdict {
        case .write: break
        case .read(let range):
            try keepPace(range.count)
            try read(range, request.cookie)
        case .flush: try hand(over: .flush, request.cookie)
        case .trim(let range, let durably):
            try keepPace(.zero)
            try change(range, .trim(range, durably: durably), durably: durably, request.cookie)
        case .zero(let range, let mayPunch, let durably):
            try keepPace(.zero)
            try change(
                range, .zero(range, mayPunch: mayPunch, durably: durably), durably: durably, request.cookie)
        case .cache(let range): try hand(over: .cache(range), request.cookie)
        case .blockStatus(let range, let onlyOne):
            try hand(over: .blockStatus(range, onlyOne: onlyOne), request.cookie)
        case .refuse(let error, let skipping, let reason):
            try skip(skipping)
            try answer(request.cookie, error, reason)
        case .disconnect, .close: isEnding = true
        }
        return true
    }

    private func refusal(of request: Request) -> Verdict {
        switch agreement.judge(request) {
        case .refuse(_, let skipping, _): .refuse(.shuttingDown, skipping: skipping, because: .stopping)
        case .write(let range, _): .refuse(.shuttingDown, skipping: range.count.bytes, because: .stopping)
        case .disconnect: .disconnect
        case .close: .close
        default: .refuse(.shuttingDown, skipping: 0, because: .stopping)
        }
    }

    /// Waits until a request of so many bytes may go on, where the export has a pace.
    ///
    /// The thread holds no lock meanwhile, and what was answered goes out. A session that is told to stop waits no longer:
    /// detaching a slow volume is not slow.
    private mutating func keepPace(_ count: ByteCount) throws(StreamFailure) {
        guard let wait = agreement.export.pace?.admit(count), wait > 0 else { return }
        let end = Machine.nanoseconds() + wait
        while !session.isStopping {
            try collect()
            try outbox.send(to: stream)
            let left = end - Machine.nanoseconds()
            guard left > 0 else { break }
            OSThread.sleep(nanoseconds: min(left, Self.nap))
        }
    }

    /// Do other requests wait behind the one in hand, which takes up so much of the inbox?
    private func othersWait(behind count: Int = 0) -> Bool { jobCount > 0 || inbox.count > count }

    private mutating func read(_ range: ByteRange, _ cookie: UInt64) throws(StreamFailure) {
        guard !range.isEmpty else { return try answer(cookie) }
        let isLong = range.count >= Self.bigRead && encoder.isStructured && stream.sendsCachedParts
        if isLong, longReads.sendsCached, let part = device.cachedPart(range) {
            try send(part, range, cookie)
            return longReads.note(range.count)
        }
        let (device, encoder, tally) = (device, encoder, tally)
        let begun = Machine.nanoseconds()
        let isDone = try outbox.append(atMost: encoder.readHeaderSize + range.count.bytes, to: stream) { reply in
            let (used, isDone, failed) = Self.read(range, cookie, device, encoder, into: &reply)
            if isDone {
                tally.count(.read, bytes: range.count.bytes, failed: failed, begun: begun, now: Machine.nanoseconds())
            }
            return (used: used, result: isDone)
        }
        if !isDone { return try hand(over: .read(range), cookie) }
        if isLong, !longReads.sendsCached { longReads.note(range.count) }
    }

    /// Answers a read without copying what it reads; what cannot be sent so is read and sent. The data's chunk says beforehand
    /// how long it is, so bytes that cannot be read after all are made up, and the chunk that ends the reply says that it
    /// failed.
    private mutating func send(_ part: CachedPart, _ range: ByteRange, _ cookie: UInt64) throws(StreamFailure) {
        let (stream, encoder) = (stream, encoder)
        let begun = Machine.nanoseconds()
        try outbox.append(atMost: encoder.readHeaderSize, to: stream) { reply in
            (encoder.data(cookie, range, isLast: false, into: &reply), ())
        }
        try outbox.send(to: stream)
        let sent = try stream.send(part)
        let failure = try sendRest(ByteRange(from: range.start + sent, to: range.end))
        tally.count(
            .read, bytes: range.count.bytes, failed: failure != nil, begun: begun, now: Machine.nanoseconds())
        guard let failure else { return try answer(cookie) }
        try answer(cookie, NBDError(failure, isWrite: false), .failed)
    }

    /// Reads and sends, a piece at a time; zeros for what cannot be read.
    private mutating func sendRest(_ range: ByteRange) throws(StreamFailure) -> BlockFailure? {
        let (device, stream) = (device, stream)
        var failure: BlockFailure?
        var position = range.start
        while position < range.end {
            let piece = ByteRange(
                from: position, to: min(range.end, position + ByteCount(Outbox.batch)))
            try outbox.append(atMost: piece.count.bytes, to: stream) { room in
                do throws(BlockFailure) { try device.read(piece, into: &room) } catch {
                    failure = failure ?? error
                    room.fillWithZeros()
                }
                return (piece.count.bytes, ())
            }
            position = piece.end
        }
        return failure
    }

    /// Reads what needs no waiting, encoded: false, and 0 bytes used, when the read would wait.
    private static func read(
        _ range: ByteRange, _ cookie: UInt64, _ device: any BlockDevice, _ encoder: ReplyEncoder,
        into reply: inout MutableRawSpan
    ) -> (used: Int, isDone: Bool, failed: Bool) {
        do throws(BlockFailure) {
            var data = reply._mutatingExtracting(droppingFirst: encoder.readHeaderSize)
            guard try device.readWithoutWaiting(range, into: &data) else { return (0, false, false) }
            if encoder.isStructured, range.count >= Sector.size, data.bytes.isAllZero {
                return (encoder.hole(cookie, range, into: &reply), true, false)
            }
            return (encoder.data(cookie, range, into: &reply) + range.count.bytes, true, false)
        } catch {
            return (encoder.failure(cookie, NBDError(error, isWrite: false), .failed, into: &reply), true, true)
        }
    }

    private mutating func write(_ range: ByteRange, durably: Bool, _ request: Request) throws(StreamFailure) -> Bool {
        let count = range.count.bytes
        let whole = Request.size + count
        if inbox.count >= whole {
            try keepPace(range.count)
            if mustHandOver(range, durably: durably, behind: whole) {
                let job = inbox.readPayload(count) { bytes in
                    Job(writing: bytes, at: range, durably: durably, cookie: request.cookie, encoder: encoder)
                }
                inbox.drop(whole)
                try hand(over: job)
            } else {
                let tally = tally
                let failure = inbox.readPayload(count) { Self.write(range, $0, durably, device, tally) }
                inbox.drop(whole)
                try answer(request.cookie, failure)
            }
            return true
        }
        guard count >= Self.bigPayload else { return false }
        inbox.drop(Request.size)
        try receivePayload(count)
        try keepPace(range.count)
        if mustHandOver(range, durably: durably, behind: 0) {
            let job = payload.read(0..<count) { bytes in
                Job(writing: bytes, at: range, durably: durably, cookie: request.cookie, encoder: encoder)
            }
            try hand(over: job)
        } else {
            let tally = tally
            let failure = payload.read(0..<count) { Self.write(range, $0, durably, device, tally) }
            try answer(request.cookie, failure)
        }
        if count > 1 << 20 { payload.discard(from: 1 << 20) }
        return true
    }

    private static func write(
        _ range: ByteRange, _ bytes: RawSpan, _ durably: Bool, _ device: any BlockDevice, _ tally: Tally
    ) -> BlockFailure? {
        let begun = Machine.nanoseconds()
        var failure: BlockFailure?
        do throws(BlockFailure) { try device.write(range, from: bytes, durably: durably) } catch { failure = error }
        tally.count(
            .write, bytes: range.count.bytes, failed: failure != nil, begun: begun, now: Machine.nanoseconds())
        return failure
    }

    /// Would carrying this out in place hold up others? A durable write waits for the disk, which a lone one may do.
    private func mustHandOver(_ range: ByteRange, durably: Bool, behind count: Int) -> Bool {
        durably && othersWait(behind: count) || device.mayWaitToWrite(range)
    }

    private mutating func change(
        _ range: ByteRange, _ work: Job.Work, durably: Bool, _ cookie: UInt64
    ) throws(StreamFailure) {
        guard range.count <= Self.briefRange, !mustHandOver(range, durably: durably, behind: 0) else {
            return try hand(over: work, cookie)
        }
        let begun = Machine.nanoseconds()
        var failure: BlockFailure?
        do throws(BlockFailure) {
            switch work {
            case .trim: try device.trim(range, durably: durably)
            case .zero(_, let mayPunch, _): try device.zero(range, mayPunch: mayPunch, durably: durably)
            default: preconditionFailure("not a change without payload")
            }
        } catch { failure = error }
        tally.count(
            .discard, bytes: range.count.bytes, failed: failure != nil, begun: begun, now: Machine.nanoseconds())
        try answer(cookie, failure)
    }

    // MARK: Answering

    private mutating func answer(_ cookie: UInt64, _ failure: BlockFailure? = nil) throws(StreamFailure) {
        if let failure { return try answer(cookie, NBDError(failure, isWrite: true), .failed) }
        let encoder = encoder
        try outbox.append(atMost: ReplyEncoder.sizeMax, to: stream) { (encoder.success(cookie, into: &$0), ()) }
    }

    private mutating func answer(
        _ cookie: UInt64, _ error: NBDError, _ reason: StaticReason
    ) throws(StreamFailure) {
        let encoder = encoder
        try outbox.append(atMost: ReplyEncoder.sizeMax, to: stream) { reply in
            (encoder.failure(cookie, error, reason, into: &reply), ())
        }
    }

    /// Receives and forgets the payload of a refused write.
    private mutating func skip(_ count: Int) throws(StreamFailure) {
        var left = count
        while left > 0 {
            let part = min(left, 1 << 20)
            try receivePayload(part)
            left -= part
        }
    }

    // MARK: Jobs

    private mutating func hand(over work: Job.Work, _ cookie: UInt64) throws(StreamFailure) {
        try hand(over: Job(work, cookie: cookie, encoder: encoder))
    }

    private mutating func hand(over job: Job) throws(StreamFailure) {
        while jobCount >= Self.jobCountMax || (jobCount > 0 && jobBytes + job.byteCount > Self.jobBytesMax) {
            try waitForJob()
        }
        let crew = self.crew ?? Crew(agreement, counting: traffic.crew)
        self.crew = crew
        guard crew.add(job) else {
            // No thread to be had: better late than never.
            job.run(on: agreement, counting: tally)
            return try append(job)
        }
        jobCount += 1
        jobBytes += job.byteCount
    }

    /// Puts the answers of jobs that are done into the outbox.
    private mutating func collect() throws(StreamFailure) {
        guard jobCount > 0, let crew else { return }
        for job in crew.takeDone() {
            jobCount -= 1
            jobBytes -= job.byteCount
            try append(job)
        }
    }

    private mutating func waitForJob() throws(StreamFailure) {
        try outbox.send(to: stream)
        crew?.signal.wait()
        try collect()
    }

    private mutating func append(_ job: Job) throws(StreamFailure) {
        let (stream, done) = (stream, job)
        try done.withReply { (reply) throws(StreamFailure) in try outbox.append(reply, to: stream) }
    }
}
