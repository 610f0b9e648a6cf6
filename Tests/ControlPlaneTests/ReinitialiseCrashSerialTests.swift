import Blocks
import ControlPlane
import TestSupport
import Testing

/// Ends the process at each step of giving volumes the content again that they were made with, and starts again.
@Suite(.serialized) struct ReinitialiseCrashSerialTests {
    static let points = [
        "roll-back.aside.recorded", "roll-back.aside.made", "roll-back.aside.exchanged", "delete-volume.removed",
    ]

    @Test("a volume has its content from before or what it was made with, whole, and goes on", arguments: points)
    func kill(at point: String) async throws {
        for isEmpty in [true, false] {
            let scratch = try ScratchDirectory("varve-reinitialise-crash")
            let path = scratch.path
            await #expect(processExitsWith: .signal(9), "\(point) is never reached") {
                [path = path as String, point = point as String, isEmpty = isEmpty as Bool] in
                let fixture = try await HouseFixture(at: path + "/data")
                let first = try await fixture.volume(.mebibytes(1), name: isEmpty ? "it" : "first")
                try await fixture.write(first, 0..<60, 1)
                let snapshot = try await fixture.snapshot(first)
                var id = first
                if !isEmpty {
                    let origin = CreateVolume.Origin.snapshot(snapshot)
                    id = try await fixture.volumes.create(CreateVolume(size: nil, name: "it", origin: origin)).id
                    _ = try await fixture.volumes.attach(id)
                }
                try await fixture.write(id, 40..<90, 2)
                _ = try await fixture.volumes.detach(id)
                Failpoint.observe { if $0 == point { Machine.killSelf() } }
                _ = try await fixture.volumes.reinitialise(id)
            }
            let fixture = try await HouseFixture(at: path + "/data")
            let id = try #require(try await fixture.volumes.list().first { $0.name == "it" }).id
            _ = try await fixture.volumes.attach(id)
            let birth: [UInt8] = (0..<256).map { !isEmpty && $0 < 60 ? 1 : 0 }
            var before: [UInt8] = (0..<256).map { $0 < 60 ? 1 : 0 }
            for block in 40..<90 { before[block] = 2 }
            let isDone = ["roll-back.aside.exchanged", "delete-volume.removed"].contains(point)
            #expect(try await fixture.look(id) == (isDone ? birth : before), "\(isEmpty)")
            _ = try await fixture.volumes.detach(id)
            _ = try await fixture.volumes.reinitialise(id)
            _ = try await fixture.volumes.attach(id)
            #expect(try await fixture.look(id) == birth)
            try await fixture.write(id, 100..<101, 7)
            let last = try await fixture.snapshot(id)
            #expect(try await fixture.restore(last) == fixture.look(id))
            try await fixture.eventually("every task ends") {
                try await fixture.house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
            }
            let count = isEmpty ? 1 : 2
            #expect(try await fixture.volumes.list().count == count)
            #expect(try LocalDisk().list(path + "/data/volumes").count == count)
            await fixture.house.close()
        }
    }
}
