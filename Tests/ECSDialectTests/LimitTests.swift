import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import ECSDialect

/// Limits that requests which come at once cannot pass together.
@Suite struct LimitTests {
    private static func disk(_ door: ECSDoor, _ category: String = "cloud_essd") async throws -> String {
        try await door.usedDisk(category)
    }

    /// What is answered to several requests at once: codes, or "done".
    private static func codes(
        _ door: ECSDoor, _ action: String, _ requests: [[String: String]]
    ) async -> [String] {
        await withTaskGroup(of: String.self) { group in
            for request in requests {
                group.addTask {
                    guard let reply = try? await door.ask(action, request) else { return "nothing" }
                    return reply.code ?? "done"
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test(
        "of so many snapshots of a disk asked for at once, no more are under way than its category allows",
        arguments: [
            ("cloud_ssd", 1, "IncorrectDiskStatus.CreatingSnapshot"),
            ("cloud_essd", 10, "QuotaExceed.ConcurrentSnapshotQuota"),
        ])
    func pending(_ category: String, _ most: Int, _ code: String) async throws {
        let door = try await ECSDoor()
        let disk = try await Self.disk(door, category)
        // While the store is away nothing is done with being created.
        let store = URL(filePath: door.scratch.path + "/data/store"), away = store.appendingPathExtension("away")
        try FileManager.default.moveItem(at: store, to: away)
        let codes = await Self.codes(door, "CreateSnapshot", Array(repeating: ["DiskId": disk], count: most + 4))
        #expect(codes.count { $0 == "done" } == most && codes.count { $0 == code } == 4, "\(codes)")
        try await door.refused("CreateSnapshot", ["DiskId": disk, "DryRun": "true"], 403, code)
        try FileManager.default.moveItem(at: away, to: store)
        await door.house.close()
    }

    @Test("groups and single snapshots of a disk count together, and of a group that is refused nothing is taken")
    func groups() async throws {
        let door = try await ECSDoor()
        let disk = try await Self.disk(door), other = try await Self.disk(door)
        let store = URL(filePath: door.scratch.path + "/data/store"), away = store.appendingPathExtension("away")
        try FileManager.default.moveItem(at: store, to: away)
        let singles = await Self.codes(door, "CreateSnapshot", Array(repeating: ["DiskId": disk], count: 7))
        #expect(singles == Array(repeating: "done", count: 7))
        let pair = ["DiskId.1": other, "DiskId.2": disk]
        let codes = await Self.codes(door, "CreateSnapshotGroup", Array(repeating: pair, count: 6))
        #expect(codes.count { $0 == "done" } == 3, "\(codes)")
        #expect(codes.count { $0 == "QuotaExceed.ConcurrentSnapshotQuota" } == 3, "\(codes)")
        let refused = try await door.ask("CreateSnapshotGroup", pair)
        #expect(refused.status == 403 && refused.message?.contains(disk) == true, "\(refused.fields)")
        let taken = try await door.ask("DescribeSnapshots", ["DiskId": other])
        #expect(taken.fields["TotalCount"] as? Int == 3)
        try FileManager.default.moveItem(at: away, to: store)
        await door.house.close()
    }

    @Test("an instance has its system disk and 16 others, however many are attached at once")
    func disks() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance", ["SystemDisk.Size": "20"]).text("InstanceId")
        var requests: [[String: String]] = []
        for _ in 0..<19 { requests.append(["InstanceId": host, "DiskId": try await Self.disk(door)]) }
        let codes = await Self.codes(door, "AttachDisk", requests)
        #expect(codes.count { $0 == "done" } == 16, "\(codes)")
        #expect(codes.count { $0 == "InstanceDiskLimitExceeded" } == 3, "\(codes)")
        #expect(try await door.house.instances.list().first?.disks.count == 17)
        await door.house.close()
    }
}
