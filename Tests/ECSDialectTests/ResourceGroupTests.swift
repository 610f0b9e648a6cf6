import ControlPlane
import TestSupport
import Testing

@testable import ECSDialect

@Suite struct ResourceGroupTests {
    /// The objects of each list that are in the group.
    private static func found(_ door: ECSDoor, in group: String) async throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        for (action, outer, inner, id) in [
            ("DescribeDisks", "Disks", "Disk", "DiskId"), ("DescribeSnapshots", "Snapshots", "Snapshot", "SnapshotId"),
            ("DescribeSnapshotGroups", "SnapshotGroups", "SnapshotGroup", "SnapshotGroupId"),
            ("DescribeInstances", "Instances", "Instance", "InstanceId"),
            ("DescribeImages", "Images", "Image", "ImageId"),
            (
                "DescribeAutoSnapshotPolicyEx", "AutoSnapshotPolicies", "AutoSnapshotPolicy", "AutoSnapshotPolicyId"
            ),
        ] {
            let rows = try await door.ask(action, ["ResourceGroupId": group]).list(outer, inner)
            for row in rows { #expect(row["ResourceGroupId"] as? String == group, "\(action)") }
            found[action] = rows.compactMap { $0[id] as? String }
        }
        return found
    }

    @Test("what is made is in the group it was made in, else in the account's default one, and moves to another")
    func groups() async throws {
        let door = try await ECSDoor()
        let first = ["ResourceGroupId": "rg-first"]
        let host = try await door.ask("CreateInstance", first.merging(["SystemDisk.Size": "20"]) { $1 })
            .text("InstanceId")
        let disk = try #require(
            try await door.ask("DescribeDisks", ["InstanceId": host]).list("Disks", "Disk").first?["DiskId"] as? String)
        let snapshot = try await door.ask("CreateSnapshot", first.merging(["DiskId": disk]) { $1 }).text("SnapshotId")
        try await door.accomplish(snapshot)
        let group = try await door.ask("CreateSnapshotGroup", first.merging(["InstanceId": host]) { $1 })
            .text("SnapshotGroupId")
        let image = try await door.ask(
            "CreateImage", first.merging(["SnapshotId": snapshot, "ImageName": "an-image"]) { $1 }
        ).text("ImageId")
        let words = ["repeatWeekdays": "[1]", "timePoints": "[1]", "retentionDays": "-1"]
        let policy = try await door.ask("CreateAutoSnapshotPolicy", first.merging(words) { $1 })
            .text("AutoSnapshotPolicyId")
        var found = try await Self.found(door, in: "rg-first")
        #expect(found["DescribeDisks"] == [disk] && found["DescribeInstances"] == [host])
        #expect(found["DescribeSnapshotGroups"] == [group] && found["DescribeImages"] == [image])
        #expect(found["DescribeAutoSnapshotPolicyEx"] == [policy])
        #expect(found["DescribeSnapshots"]?.count == 2 && found["DescribeSnapshots"]?.contains(snapshot) == true)
        let ordinary = "rg-00000000100000000000"
        #expect(try await Self.found(door, in: ordinary).values.allSatisfy(\.isEmpty))
        for (type, id) in [
            ("disk", disk), ("snapshot", snapshot), ("snapshotgroup", group), ("instance", host), ("image", image),
            ("snapshotpolicy", policy),
        ] {
            let join = ["ResourceType": type, "ResourceId": id, "ResourceGroupId": ordinary]
            #expect(try await door.ask("JoinResourceGroup", join).status == 200, "\(type)")
            try await door.refused("JoinResourceGroup", join, 403, "InvalidResourceGroup.Duplicate")
        }
        found = try await Self.found(door, in: ordinary)
        #expect(found["DescribeDisks"] == [disk] && found["DescribeSnapshots"] == [snapshot])
        #expect(found["DescribeSnapshotGroups"] == [group] && found["DescribeImages"] == [image])
        #expect(try await Self.found(door, in: "rg-first")["DescribeSnapshots"]?.count == 1)
        await door.house.close()
    }

    @Test("groups and objects that cannot be are refused with the codes of the API")
    func refusals() async throws {
        let door = try await ECSDoor()
        let disk = try await door.usedDisk()
        let join = ["ResourceType": "disk", "ResourceId": disk, "ResourceGroupId": "rg-1"]
        func refused(_ change: [String: String], _ status: Int, _ code: String) async throws {
            try await door.refused("JoinResourceGroup", join.merging(change) { $1 }, status, code)
        }
        for name in join.keys { try await refused([name: ""], 403, "MissingParameter") }
        try await refused(["ResourceType": "eni"], 404, "InvalidResourceType.NotFound")
        for id in ["d-1", "d-00000000000000000000"] {
            try await refused(["ResourceId": id], 404, "InvalidResourceId.NotFound")
        }
        for group in ["rg-", "1", "rg-A", "rg-" + String(repeating: "1", count: 21), "rg-\u{e4}"] {
            try await refused(["ResourceGroupId": group], 404, "InvalidResourceGroup.NotFound")
            let ask = ["DiskId": disk, "ResourceGroupId": group]
            for action in ["DescribeDisks", "DescribeSnapshots", "CreateSnapshot"] {
                try await door.refused(action, ask, 404, "InvalidResourceGroup.NotFound")
            }
        }
        #expect(try await door.ask("JoinResourceGroup", join).status == 200)
        #expect(try await door.disk(disk)["ResourceGroupId"] as? String == "rg-1")
        await door.house.close()
    }
}
