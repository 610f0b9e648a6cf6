import Blocks
import Catalog
import TestSupport
import Testing

@testable import ControlPlane

/// Ends the process in the middle of a launch or of undoing one, starts again, and asks once more by the same token.
@Suite(.serialized) struct LaunchCrashSerialTests {
    static let points = [
        ("instance.recorded", 1), ("volume.recorded", 1), ("volume.ready", 1), ("instance.disk", 1),
        ("attach.recorded", 1),
        ("volume.ready", 2), ("attach.recorded", 2),
    ]
    /// Of the undoing, in the process that finds the launch half made.
    static let later = [("instance.terminated", 1), ("instance.detached", 1), ("delete-volume.recorded", 1)]

    @Test("what a stop left half made goes, and the token makes it anew", arguments: points)
    func kill(at point: String, hit: Int) async throws {
        let scratch = try ScratchDirectory("varve-launch-crash")
        try await Self.launch(scratch.path, dyingAt: point, hit)
        try await Self.check(scratch.path)
    }

    @Test("so it does if the server stops again while it takes it away", arguments: later)
    func killAgain(at point: String, hit: Int) async throws {
        let scratch = try ScratchDirectory("varve-launch-crash")
        let path = scratch.path
        try await Self.launch(path, dyingAt: "attach.recorded", 2)
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String, hit = hit as Int] in
            LaunchCrashSerialTests.die(at: point, hit)
            _ = try await HouseFixture(at: path + "/data")
            try await Task.sleep(for: .seconds(60))
        }
        try await Self.check(path)
    }

    private static func launch(_ path: String, dyingAt point: String, _ hit: Int) async throws {
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String, hit = hit as Int] in
            let fixture = try await HouseFixture(at: path + "/data")
            LaunchCrashSerialTests.die(at: point, hit)
            _ = try await fixture.house.instances.launch(LaunchTests.request())
        }
    }

    fileprivate static func die(at point: String, _ hit: Int) {
        let left = Guarded(hit)
        Failpoint.observe { name in
            let mustDie = left.withLock { left in
                if name == point { left -= 1 }
                return name == point && left == 0
            }
            if mustDie { Machine.killSelf() }
        }
    }

    private static func check(_ path: String) async throws {
        let fixture = try await HouseFixture(at: path + "/data")
        try await fixture.eventually("every task ends") {
            try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
        #expect(try await fixture.house.instances.list().allSatisfy { $0.state == .terminated && $0.disks.isEmpty })
        #expect(try await fixture.volumes.list().isEmpty)
        #expect(try LocalDisk().list(path + "/data/volumes").isEmpty)
        let made = try await fixture.house.instances.launch(LaunchTests.request())
        #expect(made.count == 1 && made[0].state == .running && made[0].disks.count == 2)
        #expect(try await fixture.house.instances.launch(LaunchTests.request()).map(\.id) == made.map(\.id))
        #expect(try await fixture.volumes.list().count == 2)
        await fixture.house.close()
    }
}

/// Launches that fail, and those who ask meanwhile.
@Suite struct LaunchTests {
    static func request(_ count: Int = 1) -> NewInstances {
        var request = NewInstances(count: count)
        request.token = RequestToken("once", fingerprint: "a")
        request.disks = ["/dev/sdf", "/dev/sdg"].map { device in
            .init(device: device, volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: true)
        }
        return request
    }

    @Test("a launch that fails takes away what it made, and its token may be used again")
    func fails() async throws {
        let fixture = try await HouseFixture()
        let own = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        var failing = Self.request(2)
        // The second disk of the first instance cannot be made.
        failing.disks[1].volume = CreateVolume(size: .mebibytes(1), origin: .snapshot("snap-0123456789abcdef0"))
        let wrong = failing
        #expect(await refusal { try await fixture.house.instances.launch(wrong) } == .missing)
        #expect(try await fixture.house.instances.list().map(\.state) == [.terminated, .terminated])
        #expect(try await fixture.volumes.list().map(\.id) == [own])
        #expect(try await fixture.house.household.catalog.change { try $0.unfinishedTasks() }.isEmpty)
        #expect(try await fixture.house.instances.launch(Self.request()).count == 1)
        await fixture.house.close()
    }

    @Test("what a user attached to an instance of an unfinished launch stays at the next start")
    func foreign() async throws {
        let fixture = try await HouseFixture()
        let made = try await fixture.house.instances.launch(Self.request())
        let own = try await fixture.volumes.create(CreateVolume(size: .mebibytes(1))).id
        _ = try await fixture.house.instances.attach(own, to: made[0].id, as: "/dev/sdz", goesWithInstance: true)
        // As a stop leaves it before its last step.
        let house = fixture.house.household
        let launch = made[0].launchId
        let disks = made[0].disks.map(\.volumeId)
        try await house.catalog.change { session in
            var task = house.newTask(
                .runInstances, about: launch, of: AccountRecord.first, argument: disks.joined(separator: " "))
            task.state = .running
            try session.insert(task)
        }
        #expect(await refusal { try await fixture.house.instances.launch(Self.request()) } == .unavailable)
        try await fixture.reopen()
        #expect(try await fixture.volumes.list().map(\.id) == [own])
        #expect(try await fixture.house.instances.list().allSatisfy { $0.state == .terminated })
        await fixture.house.close()
    }
}
