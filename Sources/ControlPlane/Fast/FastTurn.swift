internal import Blocks
internal import Catalog
internal import ObjectStore
internal import Repository
internal import VolumeEngine

/// Brings the local copies to what is wanted. For the thread of ``FastCopies``.
///
/// 1. A snapshot is to be restored fast: recorded with a task (``SnapshotService/restoreFast(_:in:)``).
/// 2. Once it is completed: record that its copy was begun, and make the file anew.        Undo: remove the file.
/// 3. Bring its content part by part. A store that is away is waited for; when volumes need the room, or this one fails over and
///    over again while others wait, back to 2 later.
/// 4. Sync, write the header, sync: the copy is whole.
/// 5. Let reads find it; record that, and the end of the task.
/// 6. Nobody wants it any more (taken back, deleted, in the bin, in the archive, failed, no longer shared, account gone): remove
///    the file, then record that it is gone, and that whoever asked for it does so no more.
///
/// A kill before 4 leaves a file without a header, which the next start removes: 2 comes again, its task unfinished. After 4 the
/// next start finds it whole, and 5 comes again. Between removing and recording in 6 the next look does both again. What the
/// catalog says is looked at again and again and the files follow, so no order of changes leaves a file that nobody wants. Nor
/// does a file stay that nobody reads: each look lists the folder, too. One that cannot be removed keeps no other one waiting.
final class FastTurn {
    private let house: Household
    private var build: FastBuild?
    /// What could not be removed: how often, and when to try again, by uptime.
    private var stuck: [String: (count: Int, notBefore: Duration)] = [:]

    private static let pauseAfterStore = Duration.seconds(5)
    private static let pauseAfterDisk = Duration.seconds(60)
    /// After how many failures in a row others have their turn.
    private static let failuresMax = 3
    /// How long one that was taken back is still shown.
    private static let shownAfterwards = Duration.seconds(3600)

    init(house: Household) { self.house = house }

    /// Is there something to do at once?
    var isBusy: Bool {
        guard let build else { return false }
        return house.clock.uptime() >= (house.fast.course(of: build.snapshot)?.notBefore ?? .zero)
    }

    // MARK: Looking

    /// Compares what is wanted with what there is. A catalog that cannot be asked now is asked again.
    func look() {
        do {
            let wanted = try house.catalog.changeWaiting { [now = house.clock.now()] in try Wanted($0, at: now) }
            drop(besides: wanted)
            makeRoom(wanted)
            letOthersGo(wanted)
            explain(wanted)
            try settle(wanted)
            if build == nil { try beginNext(wanted) }
        } catch {}
    }

    /// What is to be there, what was asked for first at the front.
    struct Wanted: Sendable {
        /// Completed ones; others wait for that.
        var ready: [SnapshotRecord] = []
        var ids: Set<String> = []
        /// Whose task it is to make it, by snapshot.
        var askers: [String: String] = [:]
        /// Everybody's who asked for it and may use it, by snapshot.
        var accounts: [String: Set<String>] = [:]
        /// Why they cannot be fetched before they are healed, by snapshot.
        var damages: [String: String] = [:]

        init(_ session: CatalogSession, at now: WallTime) throws {
            for restore in try session.fastRestores() where restore.holds {
                guard let snapshot = try session.snapshot(restore.snapshotID), snapshot.isPresent,
                    snapshot.state != .error, snapshot.tier?.isArchived(at: now) != true,
                    try Household.mayUse(snapshot, restore.account, session)
                else { continue }
                accounts[snapshot.id, default: []].insert(restore.account)
                guard ids.insert(snapshot.id).inserted else { continue }
                askers[snapshot.id] = restore.account
                guard snapshot.state == .completed else { continue }
                ready.append(snapshot)
                guard let damage = try session.damage(of: snapshot.id) else { continue }
                damages[snapshot.id] = ServiceError.degraded(damage, "wait until it is healed").message
            }
        }

        /// Is it to be there for this one?
        func counts(_ restore: FastRestoreRecord) -> Bool {
            restore.holds && accounts[restore.snapshotID]?.contains(restore.account) == true
        }
    }

    /// Step 6. Also what is distrusted, or was left by something that did not come to its end.
    private func drop(besides wanted: Wanted) {
        if let build, !wanted.ids.contains(build.snapshot) { giveUp(build) }
        let whole = Set(house.fast.ids), now = house.clock.uptime()
        // A folder that cannot be listed now is listed again.
        let all = whole.union((try? house.fast.present()) ?? Set(stuck.keys))
        stuck = stuck.filter { all.contains($0.key) }
        for id in all.sorted() where !(wanted.ids.contains(id) && whole.contains(id)) && build?.snapshot != id {
            if let stuck = stuck[id], now < stuck.notBefore { continue }
            remove(id)
        }
        house.fast.forget(besides: wanted.ids)
        Failpoint.hit("fast.removed")
    }

    private func giveUp(_ build: FastBuild) {
        self.build = nil
        remove(build.snapshot)
    }

    /// - Returns: false: the disk refused. It is tried again, the later the oftener it did.
    @discardableResult
    private func remove(_ id: String) -> Bool {
        do {
            try house.fast.remove(id)
            stuck[id] = nil
            return true
        } catch {
            let count = (stuck[id]?.count ?? 0) + 1
            stuck[id] = (count, house.clock.uptime() + FastCourse.pause(Self.pauseAfterStore, after: count))
            return false
        }
    }

    private var room: FastRoom { FastRoom(floor: house.environment.freeSpaceFloor) }
    private func freeSpace() throws -> ByteCount { try house.directory.disk.freeSpace(house.directory.fast) }

    /// Volumes come first: when the disk is nearly full, copies go until there is room again.
    private func makeRoom(_ wanted: Wanted) {
        let present = Set(house.fast.ids)
        var candidates = wanted.ready.filter { present.contains($0.id) }.map(\.id)
        if let build { candidates.append(build.snapshot) }
        while let last = candidates.popLast(), let free = try? freeSpace(), free < room.kept {
            if build?.snapshot == last { build = nil }
            guard remove(last) else { continue }
            wait(
                last, Self.pauseAfterDisk,
                "volumes need the disk: \(free.bytes) bytes are free. The local copy is made again when there is room")
        }
    }

    private func wait(_ id: String, _ pause: Duration, _ problem: String) {
        let until = house.clock.uptime() + pause
        house.fast.note(id) { course in
            course.problem = problem
            course.notBefore = until
        }
        house.bulletin.announce(id)
    }

    /// It failed: the longer it does, the longer it waits, and the later its turn comes among others.
    private func fail(_ id: String, _ pause: Duration, after failures: Int? = nil, _ problem: String) {
        house.fast.note(id) { $0.retries += 1 }
        let count = failures ?? house.fast.course(of: id)?.retries ?? 1
        wait(id, FastCourse.pause(pause, after: count), problem)
    }

    /// One that cannot be brought keeps nobody else from theirs. A store that answers nothing at all is not its fault, and gives
    /// nobody anything: then what has come of it stays.
    private func letOthersGo(_ wanted: Wanted) {
        guard let build, build.failures >= Self.failuresMax,
            candidates(wanted).contains(where: { $0.id != build.snapshot })
        else { return }
        house.door.probeIfQuiet()
        guard house.door.meter.trouble?.isDegraded != true else { return }
        giveUp(build)
    }

    // MARK: Recording

    /// Lets the catalog say what there is: tasks, copies, and what was taken back. Writes nothing where nothing changed.
    private func settle(_ wanted: Wanted) throws {
        let now = house.clock.now(), files = Set(house.fast.ids), building = build?.snapshot
        let stuck = Set(stuck.keys)
        try house.catalog.changeWaiting { [house] session in
            let copies = try session.fastCopies()
            // What was asked for after this look had begun is left to the next one.
            let present = try Wanted(session, at: now)
            let kept = present.ids.union(wanted.ids)
            for copy in copies where !kept.contains(copy.snapshotID) && !stuck.contains(copy.snapshotID) {
                try session.deleteFastCopy(of: copy.snapshotID)
            }
            for restore in try session.fastRestores() where restore.disabledAt == nil && !present.counts(restore) {
                // It ended after this look had begun: then the file is still there.
                if wanted.ids.contains(restore.snapshotID), !present.ids.contains(restore.snapshotID) { continue }
                // Nor can what takes up room be gone.
                if stuck.contains(restore.snapshotID), !present.ids.contains(restore.snapshotID) { continue }
                var gone = restore
                // What can never be counts no more, though nobody took it back.
                gone.disablingAt = restore.disablingAt ?? now
                gone.disabledAt = now
                try session.put(gone)
            }
            try session.deleteFastRestores(goneBefore: now + (.zero - Self.shownAfterwards))
            let tasks = try session.unfinishedTasks().filter { $0.kind == TaskView.Kind.fetchSnapshot.rawValue }
            for task in tasks where !kept.contains(task.subjectID) {
                try session.update(house.ended(task, .cancelled))
            }
            for snapshot in wanted.ready {
                let copy = copies.first { $0.snapshotID == snapshot.id }
                if files.contains(snapshot.id) {
                    if copy?.completedAt == nil { try Self.complete(snapshot.id, copy, session, house) }
                    continue
                }
                // One that was damaged, or went for want of room.
                if copy != nil, building != snapshot.id { try session.deleteFastCopy(of: snapshot.id) }
                guard !tasks.contains(where: { $0.subjectID == snapshot.id }) else { continue }
                try session.insert(house.newTask(.fetchSnapshot, about: snapshot.id, of: wanted.askers[snapshot.id]))
            }
        }
    }

    private static func complete(
        _ id: String, _ copy: FastCopyRecord?, _ session: CatalogSession, _ house: Household
    ) throws {
        let now = house.clock.now()
        try session.put(FastCopyRecord(snapshotID: id, beganAt: copy?.beganAt ?? now, completedAt: now))
        try session.endTasks(
            ofSubject: id, kind: TaskView.Kind.fetchSnapshot.rawValue, as: .succeeded, nil, at: now)
        let accounts = Set(try session.fastRestores().filter { $0.snapshotID == id && $0.holds }.map(\.account))
        for account in accounts.sorted() {
            let event = EventRecord.own("snapshot.restoresFast", [id], because: "fast-restore", of: account, at: now)
            try session.insert(event)
        }
    }

    // MARK: Making

    /// Those that may begin now: what failed least, and then what was asked for first, at the front.
    private func candidates(_ wanted: Wanted) -> [SnapshotRecord] {
        let now = house.clock.uptime()
        let found = wanted.ready.enumerated().compactMap { place, snapshot -> (SnapshotRecord, Int, Int)? in
            guard house.fast[snapshot.id] == nil, wanted.damages[snapshot.id] == nil else { return nil }
            let course = house.fast.course(of: snapshot.id)
            guard now >= course?.notBefore ?? .zero else { return nil }
            return (snapshot, course?.retries ?? 0, place)
        }
        return found.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
    }

    /// Of what is known to be damaged nothing is fetched before it is healed.
    private func explain(_ wanted: Wanted) {
        for (id, reason) in wanted.damages where house.fast[id] == nil && house.fast.course(of: id)?.problem != reason {
            house.fast.note(id) { $0.problem = reason }
            house.bulletin.announce(id)
        }
    }

    /// Step 2, of the first that may begin.
    private func beginNext(_ wanted: Wanted) throws {
        for snapshot in candidates(wanted) {
            do {
                build = try begin(snapshot)
            } catch let failure as DiskFailure {
                fail(snapshot.id, Self.pauseAfterDisk, "\(failure)")
            } catch let failure as BlockFailure {
                fail(snapshot.id, Self.pauseAfterDisk, "\(failure)")
            } catch {
                fail(snapshot.id, Self.pauseAfterStore, ServiceError.from(error, .snapshot).message)
            }
            if build != nil { return }
        }
    }

    /// - Returns: nil if there is no room.
    private func begin(_ snapshot: SnapshotRecord) throws -> FastBuild? {
        let reader = try house.door.repository().reader(of: StoreDoor.id(snapshot.id))
        let layout = FastLayout(size: reader.size), total = reader.manifest.fullBytes
        if let refusal = room.refusal(taking: layout.space(for: total), of: try freeSpace()) {
            wait(snapshot.id, Self.pauseAfterDisk, refusal)
            return nil
        }
        let now = house.clock.now(), uptime = house.clock.uptime()
        let isWanted = try house.catalog.changeWaiting { session in
            // Deleted meanwhile: then the next look says so.
            guard try session.snapshot(snapshot.id)?.isPresent == true else { return false }
            try session.put(FastCopyRecord(snapshotID: snapshot.id, beganAt: now))
            return true
        }
        guard isWanted else { return nil }
        Failpoint.hit("fast.begun")
        let writer = try FastFileWriter(
            at: house.fast.path(of: snapshot.id), of: snapshot.id, size: reader.size, in: house.directory.fast,
            on: house.directory.disk)
        house.fast.note(snapshot.id) { course in
            course = FastCourse(total: total, began: uptime, retries: course.retries)
        }
        house.announce(snapshot.id)
        return FastBuild(reader, of: snapshot.id, writer)
    }

    /// Steps 3 to 5: the next part of what is under way.
    func step() {
        guard let build, isBusy else { return }
        do throws(FastFault) {
            let file = try build.step()
            build.failures = 0
            house.fast.note(build.snapshot) { course in
                course.done = build.done
                course.problem = nil
            }
            house.bulletin.announce(build.snapshot)
            guard let file else { return }
            self.build = nil
            Failpoint.hit("fast.whole")
            house.fast.add(file)
            house.fast.lookSoon()
            house.announce(build.snapshot)
        } catch {
            stop(build, error)
        }
    }

    private func stop(_ build: FastBuild, _ fault: FastFault) {
        build.failures += 1
        switch fault {
        case .source(.corrupt(let place)):
            fail(build.snapshot, Self.pauseAfterDisk, "\(BlockFailure.corrupt(at: place))")
            house.care.doubt(build.snapshot)
            house.scrub.lookSoon()
            // It may be healed, and has another manifest then.
            giveUp(build)
        case .source(let failure):
            fail(build.snapshot, Self.pauseAfterStore, after: build.failures, "\(failure)")
        case .disk(let failure):
            fail(build.snapshot, Self.pauseAfterDisk, "\(failure)")
            giveUp(build)
        }
    }
}
