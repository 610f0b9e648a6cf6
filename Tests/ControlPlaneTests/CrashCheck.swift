import Blocks
import ControlPlane
import TestSupport
import Testing

/// What must hold when a house is opened again after it was killed at any moment of ``CrashScript``.
struct CrashCheck: Sendable {
    let path: String
    init(_ path: String) { self.path = path }

    func run(_ point: String) async throws {
        let (step, isDone) = try CrashScript.progress(path)
        if try LocalDisk().facts(path + "/data/store-away") != nil {
            try LocalDisk().removeTree(path + "/data/store")
            try LocalDisk().rename(path + "/data/store-away", to: path + "/data/store")
        }
        let fixture = try await HouseFixture(at: path + "/data")
        let world = CrashWorld(fixture)
        try await world.fixture.quiet()
        try await volumes(world, step, isDone)
        try await snapshots(world, step)
        #expect(try await fixture.house.store.verify().problems == [])
        try await goesOn(world)
        await fixture.house.close()
    }

    private func volumes(_ world: CrashWorld, _ step: CrashScript.Step, _ isDone: Bool) async throws {
        for view in try await world.fixture.volumes.list() {
            #expect(
                [.available, .inUse].contains(view.state), "\(view.name ?? "") is \(view.state): \(view.reason ?? "")")
        }
        let folders = try LocalDisk().list(path + "/data/volumes")
        #expect(try await world.fixture.volumes.list().count == folders.count, "\(folders)")
        let before = CrashScript.Step(rawValue: step.rawValue - 1) ?? .setUp
        let possible = [CrashScript.image(after: step)] + (isDone ? [] : [CrashScript.image(after: before)])
        let a = try await world.volume("a")
        _ = try await world.fixture.volumes.attach(a)
        let content = Array(try await world.fixture.look(a).prefix(CrashScript.blocks))
        if [.write, .change].contains(step), !isDone {
            // A write that was under way may have reached any of its blocks.
            for (block, byte) in content.enumerated() { #expect(possible.contains { $0[block] == byte }) }
        } else {
            #expect(possible.contains(content), "\(step) \(isDone): \(content)")
        }
        if let clone = try await world.fixture.volumes.list().first(where: { $0.name == "clone" }) {
            _ = try await world.fixture.volumes.attach(clone.id)
            #expect(try await world.fixture.look(clone.id) == CrashScript.image(after: .clone))
            _ = try await world.fixture.volumes.detach(clone.id)
        }
        if let restored = try await world.fixture.volumes.list().first(where: { $0.name == "restored" }) {
            _ = try await world.fixture.volumes.attach(restored.id)
            #expect(try await world.fixture.look(restored.id) == CrashScript.image(after: .two))
            _ = try await world.fixture.volumes.detach(restored.id)
        }
    }

    /// Every snapshot is completed, and holds what its name says.
    private func snapshots(_ world: CrashWorld, _ step: CrashScript.Step) async throws {
        var one = [UInt8](repeating: 0, count: CrashScript.blocks)
        for block in 0..<64 { one[block] = 1 }
        let views = try await world.fixture.snapshots.list()
        for view in views {
            #expect(view.state == .completed, "\(view.name ?? "") is \(view.state): \(view.reason ?? "")")
            let expected =
                switch view.name {
                case "one": one
                case "two": CrashScript.image(after: .two)
                default: CrashScript.image(after: .write)
                }
            #expect(try await world.fixture.look(snapshot: view.id) == expected, "\(view.name ?? "")")
        }
        let names = Set(views.compactMap(\.name))
        if step.rawValue < CrashScript.Step.deleteOne.rawValue { #expect(names.contains("one")) }
        if step.rawValue > CrashScript.Step.two.rawValue { #expect(names.contains("two")) }
        if step.rawValue > CrashScript.Step.deleteOne.rawValue {
            #expect(!names.contains("one") && !names.contains("four"))
        }
        if step.rawValue > CrashScript.Step.deleteThree.rawValue { #expect(!names.contains("three")) }
        #expect(views.filter { $0.name == "group" }.count != 1, "half a group")
    }

    /// The house works as before: a snapshot, a restore, and everything can be deleted and reclaimed.
    private func goesOn(_ world: CrashWorld) async throws {
        let fixture = world.fixture
        let a = try await world.volume("a")
        try await fixture.write(a, 100..<110, 55)
        let last = try await fixture.snapshot(a)
        #expect(try await fixture.restore(last) == fixture.look(a))
        for view in try await fixture.snapshots.list() where view.id != last {
            try await fixture.snapshots.delete(view.id)
        }
        try await world.fixture.quiet()
        _ = try await fixture.house.store.reclaim(grace: .zero)
        #expect(try await fixture.restore(last) == fixture.look(a))
        try await fixture.snapshots.delete(last)
        try await world.fixture.quiet()
        _ = try await fixture.house.store.reclaim(grace: .zero)
        let status = try await fixture.house.store.status()
        #expect(status.snapshotCount == 0 && status.uploadCount == 0 && status.packCount == 0, "\(status)")
    }
}
