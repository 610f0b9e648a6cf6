import Blocks
import ControlPlane
import Synchronization
import TestSupport
import Testing

/// Ends the process at every named step of every long operation, starts again, and looks.
///
/// The child process tells a file what it has done before and after each step, so that what must be there afterwards is
/// known whatever the moment: the states of the volume before and after the step that was under way.
@Suite(.serialized) struct CrashSerialTests {
    /// `name` and at which hit of it to die; later hits happen in other operations.
    static let points: [String] = [
        "snapshot.recorded", "snapshot.cut", "snapshot.pending", "snapshot.uploaded", "snapshot.completed",
        "snapshot.finished", "snapshot.recorded:2", "snapshot.cut:2", "snapshot.pending:2", "snapshot.completed:2",
        "delete-snapshot.recorded", "delete-snapshot.recorded:2", "delete-snapshot.cancelled",
        "delete-snapshot.rebased", "delete-snapshot.trashed", "delete-snapshot.forgotten",
        "delete-snapshot.forgotten:2", "volume.recorded", "volume.made", "volume.ready", "volume.made:2", "clone.cut",
        "delete-volume.recorded", "delete-volume.removed", "roll-back.recorded", "roll-back.done", "resize.grown",
        "attach.recorded", "detach.withdrawn", "import.finished", "cut.prepared", "cut.drained", "cut.synced",
        "cut.sealed", "cut.sealed:2", "cut.givenup", "capture.recorded", "settle.copied", "settle.synced",
        "settle.recorded", "settle.removed", "hydrate.fetched", "hydrate.synced", "hydrate.recorded", "rebase.marked",
        "rollback.listed", "rollback.intended", "rollback.punched", "rollback.recorded", "upload.pack.recorded",
        "upload.manifest.before", "upload.manifest.after", "upload.manifest.before:2", "delete.trashed",
        "reclaim.packs.removed", "reclaim.trash.removed", "roll-back.aside.recorded", "roll-back.aside.made",
        "roll-back.aside.exchanged", "delete-volume.removed:2",
    ]

    @Test("after a kill at any step, everything acknowledged is there and everything begun ends", arguments: points)
    func kill(at point: String) async throws {
        let scratch = try ScratchDirectory("varve-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String] in
            try await CrashScript(path).run(dyingAt: point)
        }
        try await CrashCheck(path).run(point)
    }
}

/// What the child does. Images are the first byte of each of 256 blocks.
struct CrashScript: Sendable {
    let path: String
    init(_ path: String) { self.path = path }

    static let blocks = 256
    /// The steps of the script and what the volume "a" holds after each.
    enum Step: Int, CaseIterable, Sendable {
        case setUp, two, write, three, deleteThree, restore, clone, deleteOne, reclaim, group, detach, rollBack, attach
        case change, five, detachAgain, rollBackAside, attachAgain, resize, importing, deleteClone, end
    }

    static func image(after step: Step) -> [UInt8] {
        var image = [UInt8](repeating: 0, count: blocks)
        for block in 0..<64 { image[block] = 1 }
        for block in 10..<20 { image[block] = 2 }
        let written = [
            Step.write.rawValue..<Step.rollBack.rawValue, Step.change.rawValue..<Step.rollBackAside.rawValue,
        ]
        if written.contains(where: { $0.contains(step.rawValue) }) { for block in 30..<90 { image[block] = 3 } }
        return image
    }

    private func say(_ step: Step, _ isDone: Bool) throws {
        let file = try LocalDisk().open(path + "/progress", .create)
        try [UInt8(step.rawValue), isDone ? 1 : 0].readBytes { (bytes) throws(BlockFailure) in
            try file.write(bytes, at: 0, durably: false)
        }
    }

    /// The last step begun, and whether it was done.
    static func progress(_ path: String) throws -> (Step, Bool) {
        let file = try LocalDisk().open(path + "/progress", .readOnly)
        var bytes: [UInt8] = [0, 0]
        try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
        return (try #require(Step(rawValue: Int(bytes[0]))), bytes[1] == 1)
    }

    func run(dyingAt point: String) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        let world = CrashWorld(fixture)
        // Every other story is one of encrypted snapshots.
        try await world.setUp(point.utf8.count % 2 == 0 ? VolumeEncryption() : nil)
        try say(.setUp, true)
        arm(point)
        for step in Step.allCases.dropFirst() {
            try say(step, false)
            try await world.perform(step)
            try say(step, true)
        }
        await fixture.house.close()
    }

    private func arm(_ point: String) {
        let parts = point.split(separator: ":")
        let name = String(parts[0]), hits = Atomic(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        let counter = Counter(hits.load(ordering: .relaxed))
        Failpoint.observe { if $0 == name, counter.next() { Machine.killSelf() } }
    }

    private final class Counter: Sendable {
        private let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
        func next() -> Bool { left.subtract(1, ordering: .relaxed).newValue == 0 }
    }
}

/// The steps themselves.
struct CrashWorld: Sendable {
    let fixture: HouseFixture
    init(_ fixture: HouseFixture) { self.fixture = fixture }

    func volume(_ name: String) async throws -> String {
        let found = try await fixture.volumes.list().first { $0.name == name }
        return try #require(found?.id)
    }
    func snapshot(_ name: String) async throws -> String {
        let found = try await fixture.snapshots.list().first { $0.name == name }
        return try #require(found?.id)
    }
    private func take(_ name: String, wait: Bool = true) async throws {
        let made = try await fixture.snapshots.create(CreateSnapshot(volume: try await volume("a"), name: name))
        if wait { _ = try await fixture.snapshots.wait(for: made.id) }
    }

    func setUp(_ encryption: VolumeEncryption?) async throws {
        let a = try await fixture.volume(.mebibytes(1), name: "a", encryption: encryption)
        try await fixture.write(a, 0..<64, 1)
        try await take("one")
        try await fixture.write(a, 10..<20, 2)
    }

    func perform(_ step: CrashScript.Step) async throws {
        let a = try await volume("a")
        switch step {
        case .setUp, .end: break
        case .two: try await take("two")
        case .write: try await fixture.write(a, 30..<90, 3)
        case .three:
            // With the store away it stays pending, so that the next write is redirected and the deletion cancels it.
            try fixture.hideStore()
            try await take("three", wait: false)
            try await fixture.write(a, 30..<90, 3)
        case .deleteThree:
            try await fixture.snapshots.delete(snapshot("three"))
            try fixture.showStore()
            try await fixture.settled(a)
            try await take("four")
            try await fixture.settled(a)
        case .restore: try await restore()
        case .clone:
            _ = try await fixture.volumes.create(CreateVolume(size: nil, name: "clone", origin: .volume(a)))
            try await fixture.quiet()
        case .deleteOne:
            try await fixture.snapshots.delete(snapshot("one"))
            // The volume's own parent: it is re-based first.
            try await fixture.snapshots.delete(snapshot("four"))
            try await fixture.quiet()
        case .reclaim: _ = try await fixture.house.store.reclaim(grace: .zero)
        case .group:
            let group = [a, try await volume("clone")]
            for made in try await fixture.snapshots.createGroup(of: group, name: "group", description: nil) {
                _ = try await fixture.snapshots.wait(for: made.id)
            }
            try await fixture.settled(a)
        case .detach: _ = try await fixture.volumes.detach(a)
        case .rollBack: _ = try await fixture.volumes.rollBack(a, to: snapshot("two"))
        case .attach: _ = try await fixture.volumes.attach(a)
        case .change: try await fixture.write(a, 30..<90, 3)
        case .five:
            try fixture.hideStore()
            try await take("five", wait: false)
        case .detachAgain: _ = try await fixture.volumes.detach(a)
        case .rollBackAside: _ = try await fixture.volumes.rollBack(a, to: snapshot("two"))
        case .attachAgain:
            try fixture.showStore()
            _ = try await fixture.volumes.attach(a)
            try await fixture.settled(a)
            try await fixture.quiet()
        case .resize: _ = try await fixture.volumes.resize(a, to: .mebibytes(2))
        case .importing:
            let made = try await fixture.volumes.beginImport(size: .mebibytes(1), name: "import").id
            try await fixture.volumes.fill(made, at: 0, with: [UInt8](repeating: 7, count: 4096))
            _ = try await fixture.volumes.finishImport(made)
        case .deleteClone: try await fixture.volumes.delete(volume("clone"))
        }
    }

    private func restore() async throws {
        let made = try await fixture.volumes.create(
            CreateVolume(size: nil, name: "restored", origin: .snapshot(try await snapshot("two"))))
        try await fixture.eventually("the restored volume has everything") {
            try await fixture.volumes.show(made.id).hydration.isComplete
        }
    }
}
