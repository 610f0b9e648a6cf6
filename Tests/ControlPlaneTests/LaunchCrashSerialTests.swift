import Blocks
import ControlPlane
import TestSupport
import Testing

/// Ends the process in the middle of a launch, starts again, and asks once more by the same token.
@Suite(.serialized) struct LaunchCrashSerialTests {
    private static func request() -> NewInstances {
        var request = NewInstances()
        request.token = RequestToken("once", fingerprint: "a")
        request.disks = ["/dev/sdf", "/dev/sdg"].map { device in
            .init(device: device, volume: CreateVolume(size: .mebibytes(1)), goesWithInstance: true)
        }
        return request
    }

    @Test(
        "what a stop left half made goes, and the token makes it anew",
        arguments: [("instance.recorded", 1), ("attach.recorded", 2)])
    func kill(at point: String, hit: Int) async throws {
        let scratch = try ScratchDirectory("varve-launch-crash")
        let path = scratch.path
        await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
            [path = path as String, point = point as String, hit = hit as Int] in
            let fixture = try await HouseFixture(at: path + "/data")
            let left = Guarded(hit)
            Failpoint.observe { name in
                let mustDie = left.withLock { left in
                    if name == point { left -= 1 }
                    return name == point && left == 0
                }
                if mustDie { Machine.killSelf() }
            }
            _ = try await fixture.house.instances.launch(LaunchCrashSerialTests.request())
        }
        let fixture = try await HouseFixture(at: path + "/data")
        #expect(try await fixture.house.instances.list().allSatisfy { $0.state == .terminated && $0.disks.isEmpty })
        try await fixture.eventually("the disks go") { try await fixture.volumes.list().isEmpty }
        let made = try await fixture.house.instances.launch(Self.request())
        #expect(made.count == 1 && made[0].state == .running && made[0].disks.count == 2)
        let again = try await fixture.house.instances.launch(Self.request())
        #expect(again.map(\.id) == made.map(\.id))
        await fixture.house.close()
    }
}
