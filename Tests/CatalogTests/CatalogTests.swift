import Blocks
import Catalog
import Testing

@Suite struct CatalogTests {
    private let scratch: Scratch
    private let catalog: Catalog
    private var path: String { scratch.path + "/catalog.sqlite" }

    init() throws {
        scratch = try Scratch()
        catalog = try Catalog(sqlite: scratch.path + "/catalog.sqlite")
    }

    private func volume(_ id: String, at time: Int64 = 1, source: String? = nil) -> VolumeRecord {
        VolumeRecord(
            id: id, name: nil, state: .creating, size: .tebibytes(64), sourceSnapshot: source,
            createdAt: WallTime(milliseconds: time))
    }

    @Test("a volume is found, listed, changed and deleted")
    func volumes() async throws {
        let made = volume("vol-1", at: 2, source: "snap-1"), other = volume("vol-0", at: 3)
        try await catalog.change {
            try $0.insert(made)
            try $0.insert(other)
        }
        #expect(try await catalog.change { try $0.volume("vol-1") } == made)
        #expect(try await catalog.change { try $0.volumes() } == [made, other])
        #expect(try await catalog.change { try $0.volumes(hydratingFrom: "snap-1") } == [made])
        var changed = made
        changed.name = "db ü"
        changed.state = .available
        changed.size = 512
        changed.sourceSnapshot = nil
        let wanted = changed
        #expect(try await catalog.change { try $0.update(wanted) })
        #expect(try await catalog.change { try $0.volume("vol-1") } == wanted)
        try await catalog.change { try $0.deleteVolume("vol-1") }
        #expect(try await catalog.change { try $0.update(wanted) } == false)
        #expect(try await catalog.change { try $0.volumes() } == [other])
    }

    @Test("a snapshot is found, listed, changed and deleted, and outlives its volume")
    func snapshots() async throws {
        var full = SnapshotRecord(
            id: "snap-1", volumeID: "vol-gone", state: .pending, volumeSize: 4096,
            createdAt: WallTime(milliseconds: 7))
        full.parentID = "snap-0"
        full.groupID = "group-1"
        full.name = "n"
        full.description = "d"
        let pending = full
        try await catalog.change { try $0.insert(pending) }
        #expect(try await catalog.change { try $0.snapshots(in: .pending) } == [pending])
        full.state = .completed
        full.changed = .tebibytes(1)
        full.stored = 0
        full.completedAt = WallTime(milliseconds: 9)
        full.reason = "r"
        let done = full
        #expect(try await catalog.change { try $0.update(done) })
        #expect(try await catalog.change { try $0.snapshot("snap-1") } == done)
        #expect(try await catalog.change { try $0.snapshots(ofVolume: "vol-gone") } == [done])
        #expect(try await catalog.change { try $0.snapshots(in: .pending) } == [])
        try await catalog.change { try $0.deleteSnapshot("snap-1") }
        #expect(try await catalog.change { try $0.snapshots() } == [])
    }

    @Test("attachments and exports need their object, are kept once, and go with it")
    func attachments() async throws {
        let made = volume("vol-1")
        let snapshot = SnapshotRecord(
            id: "snap-1", volumeID: "vol-1", state: .completed, volumeSize: 512, createdAt: WallTime(milliseconds: 1))
        let place = AttachmentRecord(objectID: "vol-1", host: "local", attachedAt: WallTime(milliseconds: 4))
        let again = AttachmentRecord(objectID: "vol-1", host: "local", attachedAt: WallTime(milliseconds: 6))
        let other = AttachmentRecord(
            objectID: "vol-1", host: "other", export: "vol-1.other", attachedAt: WallTime(milliseconds: 7))
        let export = AttachmentRecord(objectID: "snap-1", host: "local", attachedAt: WallTime(milliseconds: 5))
        await #expect(throws: CatalogFailure.self) { try await catalog.change { try $0.attachVolume(place) } }
        await #expect(throws: CatalogFailure.self) { try await catalog.change { try $0.exportSnapshot(export) } }
        try await catalog.change {
            try $0.insert(made)
            try $0.insert(snapshot)
            try $0.attachVolume(place)
            try $0.attachVolume(other)
            try $0.attachVolume(again)
            try $0.exportSnapshot(export)
        }
        #expect(try await catalog.change { try $0.volumeAttachment("vol-1") } == place)
        #expect(try await catalog.change { try $0.volumeAttachments() } == [place, other])
        #expect(try await catalog.change { try $0.volumeAttachments(ofVolume: "vol-1") } == [place, other])
        try await catalog.change { try $0.detachVolume("vol-1", from: "other") }
        #expect(try await catalog.change { try $0.volumeAttachments() } == [place])
        #expect(try await catalog.change { try $0.snapshotExport("snap-1") } == export)
        #expect(try await catalog.change { try $0.snapshotExports() } == [export])
        try await catalog.change {
            try $0.deleteVolume("vol-1")
            try $0.deleteSnapshot("snap-1")
        }
        #expect(try await catalog.change { try $0.volumeAttachments() } == [])
        #expect(try await catalog.change { try $0.snapshotExports() } == [])
    }

    @Test("tasks are listed newest first, unfinished ones oldest first, old finished ones forgotten")
    func tasks() async throws {
        let made = (0..<5).map {
            TaskRecord(
                id: "task-\($0)", kind: "k", subjectID: "vol-1", account: $0 == 4 ? nil : AccountRecord.first,
                argument: $0 == 0 ? "a" : nil,
                createdAt: WallTime(milliseconds: Int64($0)))
        }
        try await catalog.change { session in for task in made { try session.insert(task) } }
        var finished = made[1]
        finished.state = .succeeded
        finished.updatedAt = WallTime(milliseconds: 50)
        finished.retries = 3
        finished.lastError = "e"
        let done = finished
        #expect(try await catalog.change { try $0.update(done) })
        #expect(try await catalog.change { try $0.task("task-1") } == done)
        let first = AccountRecord.first
        #expect(try await catalog.change { try $0.tasks(of: first, house: true, limit: 2) } == [made[4], made[3]])
        #expect(try await catalog.change { try $0.tasks(of: first, house: false, limit: 2) } == [made[3], made[2]])
        #expect(try await catalog.change { try $0.tasks(of: "200000000000", house: false, limit: 2) } == [])
        #expect(try await catalog.change { try $0.unfinishedTasks() } == [made[0], made[2], made[3], made[4]])
        try await catalog.change { try $0.deleteTasks(finishedBefore: WallTime(milliseconds: 50)) }
        #expect(try await catalog.change { try $0.task("task-1") } == done)
        try await catalog.change { try $0.deleteTasks(finishedBefore: WallTime(milliseconds: 51)) }
        #expect(try await catalog.change { try $0.task("task-1") } == nil)
    }

    @Test("settings are set and replaced") func settings() async throws {
        #expect(try await catalog.change { try $0.setting("store") } == nil)
        for value in ["a", "b"] { try await catalog.change { try $0.set("store", to: value) } }
        #expect(try await catalog.change { try $0.setting("store") } == "b")
    }

    @Test("a change that throws leaves nothing behind") func undone() async throws {
        struct Stop: Error {}
        let made = volume("vol-1")
        await #expect(throws: Stop.self) {
            try await catalog.change { session in
                try session.insert(made)
                throw Stop()
            }
        }
        #expect(try await catalog.change { try $0.volumes() } == [])
    }

    @Test("what was committed is there after reopening; a closed catalog refuses") func reopening() async throws {
        let made = volume("vol-1")
        try await catalog.change { try $0.insert(made) }
        catalog.close()
        catalog.close()
        await #expect(throws: CatalogFailure.closed) { try await catalog.change { try $0.volumes() } }
        let again = try Catalog(sqlite: path)
        #expect(try again.changeWaiting { try $0.volumes() } == [made])
        again.close()
    }

    @Test("many tasks and threads at once lose nothing") func crowd() async throws {
        let made = (0..<100).map { volume("vol-\($0)", at: Int64($0)) }
        let catalog = catalog
        let thread = OSThread(name: "crowd") {
            for record in made[50...] { try? catalog.changeWaiting { try $0.insert(record) } }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for record in made[..<50] { group.addTask { try await catalog.change { try $0.insert(record) } } }
            try await group.waitForAll()
        }
        thread.join()
        #expect(try await catalog.change { try $0.volumes() } == made)
    }

    @Test("a record with a word that the schema does not know is refused") func unknownWord() async throws {
        let row = SQLRow(columns: SQLColumns(["state"]), values: [.text("melted")])
        #expect(throws: CatalogFailure.corrupt("state has the unknown value melted")) {
            try row.word("state", as: VolumeRecord.State.self)
        }
    }
}
