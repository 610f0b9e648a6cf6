internal import Blocks
internal import Catalog
internal import Repository

/// Reads all of the store again, pack by pack, in the background: bytes that nobody reads rot unseen.
///
/// A scrub begins one period after the last one began, or when it is asked for. It goes through the packs in the order of
/// their keys; after each, the place is recorded, so that a restart goes on there. Packs put meanwhile may be passed
/// over: they were read back never, but written moments ago. What it finds goes to the ``Caretaker``, at the latest once
/// a minute.
///
/// One thread, in the background class, at a rate that ends well within the period; on request as fast as allowed. The
/// house's clock drives it. A store that is away stops it for a while and is no finding.
final class Scrub: Sendable {
    /// How it runs.
    struct Plan: Sendable {
        /// From the start of one to the start of the next; nil: only on request.
        var every: Duration?
        /// Bytes per second, at most.
        var rateMax: ByteCount
    }
    private struct State {
        var record: ScrubRecord?
        var isRequested = false
        var mustLook = false
        var isClosed = false
        var thread: OSThread?
        /// By uptime.
        var notBefore = Duration.zero
        var problem: String?
        /// For the rate of a hurried one.
        var runBegan: Duration?
        var bytesAtBegin = 0
    }
    private let state = Guarded(State())
    private let plan: Plan

    /// Half of the period is for scrubbing, the rest for a store that is away.
    private static let share = 0.5
    private static let rateMin = ByteCount.mebibytes(1)
    /// The longest that findings wait for the end of the scrub.
    private static let lookEvery = Duration.seconds(60)
    private static let pauseAfterFailure = Duration.seconds(60)

    init(_ plan: Plan) { self.plan = plan }

    /// Starts the thread.
    func open(_ house: Household) {
        let thread = OSThread(name: "scrub", isBackground: true) { [self] in
            // A catalog that cannot be read now is asked again at the first turn.
            _ = try? record(house)
            // What a stop cut off: healing, or counting damaged blocks as changed, before a snapshot inherits them.
            if (try? house.catalog.changeWaiting { try !$0.damages().isEmpty }) == true { lookSoon() }
            while true {
                // Half a second bounds how late it sees that its time has come.
                let isClosed = state.wait(atMost: .milliseconds(500)) { state -> Bool? in
                    if state.isClosed { return true }
                    return state.isRequested || state.mustLook ? false : nil
                }
                if isClosed == true { return }
                turn(house)
            }
        }
        state.withLock { $0.thread = thread }
    }

    /// Ends after the pack at hand, and rounds of the caretaker after the node at hand. Blocks.
    func close() {
        let thread = state.change { state in
            state.isClosed = true
            return state.thread
        }
        thread?.join()
    }

    /// Begins a scrub now, or makes the one under way hurry.
    func request() { state.change { $0.isRequested = true } }

    /// Lets the caretaker look soon: a snapshot may have inherited damage.
    func lookSoon() { state.change { $0.mustLook = true } }

    /// Is it over? Then rounds of the caretaker end soon, whoever asked for them.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    // MARK: Turns

    private func turn(_ house: Household) {
        let (isEarly, mustLook) = state.withLock { state in
            // A round that fails wants another by itself.
            defer { state.mustLook = false }
            if state.isRequested { state.notBefore = .zero }
            return (house.clock.uptime() < state.notBefore, state.mustLook)
        }
        do {
            if mustLook || house.care.wantsAnotherRound(at: house.clock.uptime()) {
                try house.care.round(suspects: [], in: house)
            }
            if isEarly { return }
            var record = try self.record(house)
            if try beginIfDue(&record, house) { try goOn(&record, house) }
            state.withLock { $0.problem = nil }
        } catch {
            let text = ServiceError.from(error, .store).message
            state.withLock { state in
                state.problem = text
                state.notBefore = house.clock.uptime() + Self.pauseAfterFailure
                state.isRequested = false
            }
        }
    }

    private func record(_ house: Household) throws -> ScrubRecord {
        if let known = state.withLock({ $0.record }) { return known }
        let stored = try house.catalog.changeWaiting { try $0.setting(ScrubRecord.setting) }
        if let known = stored.flatMap(ScrubRecord.init(text:)) {
            state.withLock { $0.record = known }
            return known
        }
        let new = ScrubRecord(since: house.clock.now())
        try save(new, house)
        return new
    }

    private func save(_ record: ScrubRecord, _ house: Household, _ task: TaskRecord? = nil) throws {
        let text = record.text
        try house.catalog.changeWaiting { session in
            try session.set(ScrubRecord.setting, to: text)
            if let task, try !session.update(task) { try session.insert(task) }
        }
        state.change { $0.record = record }
    }

    /// - Returns: is there one under way?
    private func beginIfDue(_ record: inout ScrubRecord, _ house: Household) throws -> Bool {
        let isRequested = state.withLock { state in
            defer { state.isRequested = false }
            return state.isRequested
        }
        if record.run != nil {
            if isRequested { record.run?.isHurried = true }
            return true
        }
        guard isRequested || isDue(record, house.clock.now()) else { return false }
        let repository = try house.door.repository()
        try repository.confirm()
        var (count, bytes) = (0, 0)
        var last: PackName?
        while true {
            let page = try repository.packs(after: last, limit: 1000)
            guard let end = page.last else { break }
            count += page.count
            bytes += page.reduce(0) { $0 + $1.size.bytes }
            last = end.name
        }
        let task = house.newTask(.scrubStore, about: repository.id, of: nil)
        record.run = ScrubRecord.Run(
            task: task.id, startedAt: house.clock.now(), isHurried: isRequested, packCount: count, bytes: bytes)
        try save(record, house, task)
        return true
    }

    private func isDue(_ record: ScrubRecord, _ now: WallTime) -> Bool {
        guard let every = plan.every else { return false }
        let last = record.last?.startedAt ?? record.since
        // A clock that was in the future once must not stop scrubbing until then.
        return now - last >= every || last - now > every
    }

    // MARK: One scrub

    private func goOn(_ record: inout ScrubRecord, _ house: Household) throws {
        let repository = try house.door.repository()
        state.withLock { state in
            guard state.runBegan == nil else { return }
            state.runBegan = house.clock.uptime()
            state.bytesAtBegin = record.run?.bytesDone ?? 0
        }
        var lookedAt = house.clock.uptime()
        var seen = record.run?.suspects.count ?? 0
        while !isClosed, let run = record.run {
            let page = try repository.packs(after: run.cursor.flatMap(PackName.init(text:)), limit: 64)
            if page.isEmpty {
                try repository.confirm()
                return try finish(&record, house)
            }
            for (pack, size) in page {
                if isClosed { return }
                try look(at: pack, size, repository, &record, house)
                let now = house.clock.uptime()
                if let found = record.run?.suspects, found.count > seen, now - lookedAt >= Self.lookEvery {
                    seen = found.count
                    lookedAt = now
                    _ = try lookAtSnapshots(&record, house)
                }
                guard record.run?.isHurried == false else { continue }
                let until = now + .seconds(Double(size.bytes) / Double(rate(run).bytes))
                state.withLock { $0.notBefore = until }
                // Not slept away: the turn ends, and the next one looks at the clock again.
                if until > now { return }
            }
        }
    }

    private func rate(_ run: ScrubRecord.Run) -> ByteCount {
        guard let every = plan.every else { return plan.rateMax }
        let seconds = max(1, Double(every.components.seconds) * Self.share)
        return min(plan.rateMax, max(Self.rateMin, ByteCount(Int(Double(run.bytes) / seconds))))
    }

    private func look(
        at pack: PackName, _ size: ByteCount, _ repository: Repository, _ record: inout ScrubRecord,
        _ house: Household
    ) throws {
        let findings = try repository.check(pack, size: size)
        if !findings.isEmpty { try repository.confirm() }
        Failpoint.hit("scrub.pack.checked")
        guard var run = record.run else { return }
        run.cursor = pack.text
        run.packsDone += 1
        run.bytesDone += size.bytes
        run.findings += findings.count
        if !findings.isEmpty, run.suspects.count < ScrubRecord.suspectsMax { run.suspects.append(pack.text) }
        let room = ScrubRecord.problemsMax - run.problems.count
        run.problems += findings.prefix(room).map { "\($0.object): \($0.problem)" }
        record.run = run
        record.bytesReadEver += size.bytes
        record.findingsEver += findings.count
        try save(record, house)
        house.bulletin.announce(run.task)
    }

    private func finish(_ record: inout ScrubRecord, _ house: Household) throws {
        let degraded = try lookAtSnapshots(&record, house)
        guard let run = record.run else { return }
        let marks = try house.catalog.changeWaiting { try $0.damages() }
        // What is missing was not read: only the snapshots tell.
        let more = marks.flatMap { mark in mark.problems.map { "\(mark.snapshotID): \($0)" } }
        let now = house.clock.now()
        record.last = ScrubRecord.Done(
            startedAt: run.startedAt, completedAt: now, packCount: run.packsDone, bytesRead: run.bytesDone,
            findings: run.findings, problems: Array((run.problems + more).prefix(ScrubRecord.problemsMax)),
            degraded: degraded, healed: run.healed)
        record.run = nil
        let known = try house.catalog.changeWaiting { try $0.task(run.task) }
        let task = known.map { house.ended($0, .succeeded) }
        try save(record, house, task)
        state.withLock { $0.runBegan = nil }
        house.announce(run.task)
    }

    /// Lets the caretaker look at what was found so far.
    ///
    /// - Returns: how many snapshots are degraded.
    private func lookAtSnapshots(_ record: inout ScrubRecord, _ house: Household) throws -> Int {
        let suspects = Set((record.run?.suspects ?? []).compactMap(PackName.init(text:)))
        let before = house.care.healed.frames
        let degraded = try house.care.round(suspects: suspects, in: house)
        let healed = (record.run?.healed ?? 0) + house.care.healed.frames - before
        record.run?.healed = healed
        return degraded.count
    }

    // MARK: What can be seen

    /// The state of scrubbing; for a moment after the start, only how it is set.
    func view(uptime: Duration) -> ScrubView {
        let (record, problem, began, before) = state.withLock { ($0.record, $0.problem, $0.runBegan, $0.bytesAtBegin) }
        var view = ScrubView()
        view.everySeconds = plan.every.map { Int($0.components.seconds) }
        guard let record else { return view }
        view.lastStartedAt = record.last?.startedAt
        view.lastCompletedAt = record.last?.completedAt
        view.lastBytesRead = record.last?.bytesRead
        view.lastFindings = record.last?.findings
        view.lastHealed = record.last?.healed
        view.lastDegraded = record.last?.degraded
        view.lastProblems = record.last?.problems ?? []
        view.reason = problem
        view.bytesReadTotal = record.bytesReadEver
        view.findingsTotal = record.findingsEver
        if let run = record.run {
            view.isRunning = true
            view.taskId = run.task
            view.bytesRead = run.bytesDone
            view.bytesToRead = run.bytes
            view.findings = run.findings
            view.progress = run.bytes > 0 ? min(1, Double(run.bytesDone) / Double(run.bytes)) : 0
            let left = Double(max(0, run.bytes - run.bytesDone))
            var pace = Double(rate(run).bytes)
            if run.isHurried {
                let passed = began.map { uptime - $0 }.map { Double($0.components.seconds) + 1 } ?? 1
                pace = max(1, Double(run.bytesDone - before) / passed)
            }
            view.remainingSeconds = Int(left / pace)
        } else if let every = plan.every {
            view.nextAt = (record.last?.startedAt ?? record.since) + every
        }
        return view
    }
}
