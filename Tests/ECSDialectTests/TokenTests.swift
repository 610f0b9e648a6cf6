import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import ECSDialect

/// What is asked for twice by one token is done once, and the token is good for one request.
@Suite struct TokenTests {
    private static func ask(
        _ door: ECSDoor, _ action: String, _ request: [String: String], _ other: [String: String],
        code: String = "IdempotentParameterMismatch", status: Int = 403
    ) async throws -> ECSDoor.Reply {
        let asked = request.merging(["ClientToken": "t-1"]) { own, _ in own }
        let first = try await door.ask(action, asked)
        #expect(first.status == 200, "\(action): \(first.fields)")
        let second = try await door.ask(action, asked)
        #expect(NSDictionary(dictionary: first.fields) == NSDictionary(dictionary: second.fields), "\(action)")
        try await door.refused(action, asked.merging(other) { $1 }, status, code)
        try await door.refused(
            action, request.merging(["ClientToken": String(repeating: "t", count: 65)]) { $1 }, 403,
            "InvalidClientToken.Malformed")
        return first
    }

    @Test("instances, images, locks and sizes, each once")
    func once() async throws {
        let door = try await ECSDoor()
        let host = try await Self.ask(
            door, "CreateInstance", ["SystemDisk.Size": "20", "InstanceName": "a"], ["InstanceName": "b"]
        ).text("InstanceId")
        let instances = try await door.ask("DescribeInstances").list("Instances", "Instance")
        #expect(instances.count == 1 && instances[0]["Status"] as? String == "Stopped")
        let disk = try #require(try await door.ask("DescribeDisks").list("Disks", "Disk").first?["DiskId"] as? String)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
        try await door.accomplish(snapshot)
        for (name, what) in [("of-a-snapshot", ["SnapshotId": snapshot]), ("of-an-instance", ["InstanceId": host])] {
            _ = try await Self.ask(
                door, "CreateImage", what.merging(["ImageName": name, "ClientToken": name]) { $1 },
                ["ImageName": "other"], code: "IdempotenceParamNotMatch", status: 400)
            try await door.eventually("the image is made") {
                try await door.house.images.list().allSatisfy { $0.state == .available }
            }
            for image in try await door.house.images.list() { _ = try await door.house.images.deregister(image.id) }
            try await door.refused(
                "CreateImage", what.merging(["ImageName": name, "ClientToken": name]) { $1 }, 400,
                "IdempotenceParamNotMatch")
        }
        let lock = ["SnapshotId": snapshot, "LockMode": "compliance", "LockDuration": "2", "CoolOffPeriod": "1"]
        _ = try await Self.ask(door, "LockSnapshot", lock, ["LockDuration": "3"])
        try await door.eventually("its snapshots are settled") {
            try await door.house.volumes.show(#require(ECSID.native(disk, .disk))).pendingSnapshotIds.isEmpty
        }
        _ = try await Self.ask(door, "ResizeDisk", ["DiskId": disk, "NewSize": "30"], ["NewSize": "40"])
        #expect(try await door.disk(disk)["Size"] as? Int == 30)
        await door.house.close()
    }

    @Test("a disk has 2,000 snapshots at most that no policy took, and those of slow categories one under way")
    func terms() async throws {
        let door = try await ECSDoor()
        for (category, most) in [("cloud_essd", 10), ("cloud_ssd", 1)] {
            let id = try #require(ECSID.native(try await door.usedDisk(category), .disk))
            let terms = ECSDialect.terms(of: [try await door.house.volumes.show(id)])
            #expect(terms.keptMax == 2000 && terms.pendingMax == most && terms.mustHaveBeenAttached)
        }
        await door.house.close()
    }
}
