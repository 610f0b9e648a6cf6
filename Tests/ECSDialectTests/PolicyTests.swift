import Blocks
import Simulation
import Testing

@testable import ControlPlane
@testable import ECSDialect

@Suite struct PolicyTests {
    /// Saturdays and Sundays at 3 and at 22 o'clock.
    private static let words = [
        "autoSnapshotPolicyName": "weekend", "repeatWeekdays": "[\"6\",\"7\"]", "timePoints": "[\"3\", \"22\"]",
        "retentionDays": "30",
    ]

    private static func policy(_ door: ECSDoor, _ more: [String: String] = [:]) async throws -> String {
        try await door.ask("CreateAutoSnapshotPolicy", words.merging(more) { $1 }).text("AutoSnapshotPolicyId")
    }

    private static func disk(_ door: ECSDoor, _ category: String = "cloud_essd") async throws -> String {
        try await door.ask("CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskCategory": category]).text("DiskId")
    }

    private static func shown(_ door: ECSDoor, _ id: String) async throws -> [String: Any] {
        let found = try await door.ask("DescribeAutoSnapshotPolicyEx", ["AutoSnapshotPolicyId": id])
        return try #require(try found.list("AutoSnapshotPolicies", "AutoSnapshotPolicy").first)
    }

    private static func apply(_ door: ECSDoor, _ policy: String, _ disk: String) async throws -> ECSDoor.Reply {
        try await door.ask("ApplyAutoSnapshotPolicy", ["autoSnapshotPolicyId": policy, "diskIds": "[\"\(disk)\"]"])
    }

    @Test("a policy from its making to its end, in Alibaba's words")
    func life() async throws {
        let door = try await ECSDoor()
        let policy = try await Self.policy(door, ["Tag.1.Key": "k", "Tag.1.Value": "v"])
        #expect(policy.hasPrefix("sp-") && policy.utf8.count == 23)
        var shown = try await Self.shown(door, policy)
        #expect(shown["RepeatWeekdays"] as? String == "[\"6\",\"7\"]")
        #expect(shown["TimePoints"] as? String == "[\"3\",\"22\"]" && shown["RetentionDays"] as? Int == 30)
        #expect(shown["AutoSnapshotPolicyName"] as? String == "weekend" && shown["Status"] as? String == "Normal")
        #expect(shown["DiskNums"] as? Int == 0 && shown["EnableCrossRegionCopy"] as? Bool == false)
        let tags = try #require((shown["Tags"] as? [String: Any])?["Tag"] as? [[String: String]])
        #expect(tags == [["TagKey": "k", "TagValue": "v"]])
        let tagged = try await door.ask("ListTagResources", ["ResourceType": "snapshotpolicy"])
        #expect(try tagged.list("TagResources", "TagResource").first?["ResourceId"] as? String == policy)
        let disk = try await Self.disk(door), other = try await Self.disk(door)
        for disk in [disk, other] { #expect(try await Self.apply(door, policy, disk).status == 200) }
        #expect(try await door.disk(disk)["AutoSnapshotPolicyId"] as? String == policy)
        // A second policy comes to the first.
        let second = try await Self.policy(door, ["AutoSnapshotPolicyName": "second", "retentionDays": "-1"])
        #expect(try await Self.apply(door, second, disk).status == 200)
        func policies(_ filter: [String: String]) async throws -> [[String: Any]] {
            try await door.ask("DescribeAutoSnapshotPolicyAssociations", filter)
                .list("AutoSnapshotPolicyAssociations", "AutoSnapshotPolicyAssociation")
        }
        let under = try await policies(["DiskId": disk]).compactMap { $0["AutoSnapshotPolicyId"] as? String }
        #expect(Set(under) == [policy, second])
        #expect(try await policies(["AutoSnapshotPolicyId": policy]).count == 2)
        #expect(try await policies([:]).count == 3)
        let found = try await door.ask("DescribeDisks", ["AutoSnapshotPolicyId": second]).list("Disks", "Disk")
        #expect(found.compactMap { $0["DiskId"] as? String } == [disk])
        let cancel = ["diskIds": "[\"\(disk)\"]"]
        try await door.refused(
            "CancelAutoSnapshotPolicy", cancel, 403, "OperationDenied.TooManyAutoSnapshotPolicies")
        let named = cancel.merging(["autoSnapshotPolicyId": second]) { $1 }
        #expect(try await door.ask("CancelAutoSnapshotPolicy", named).status == 200)
        #expect(try await door.ask("CancelAutoSnapshotPolicy", cancel).status == 200)
        #expect(try await policies([:]).count == 1)
        #expect(try await door.disk(disk)["EnableAutomatedSnapshotPolicy"] as? Bool == false)
        // What a change does not name stays.
        let change = ["autoSnapshotPolicyId": policy, "timePoints": "[\"5\"]", "RetentionDays": "-1"]
        #expect(try await door.ask("ModifyAutoSnapshotPolicyEx", change).status == 200)
        shown = try await Self.shown(door, policy)
        #expect(shown["TimePoints"] as? String == "[\"5\"]" && shown["RetentionDays"] as? Int == -1)
        #expect(shown["RepeatWeekdays"] as? String == "[\"6\",\"7\"]" && shown["DiskNums"] as? Int == 1)
        #expect(try await door.ask("DeleteAutoSnapshotPolicy", ["autoSnapshotPolicyId": policy]).status == 200)
        try await door.refused(
            "DeleteAutoSnapshotPolicy", ["autoSnapshotPolicyId": policy], 404, "ParameterInvalid")
        #expect(try await policies([:]).isEmpty)
        await door.house.close()
    }

    @Test("a policy takes its snapshots by the clock of UTC+8, under names of its own, and they have its retention")
    func run() async throws {
        // Friday, 16 o'clock in UTC+8.
        let clock = ManualClock()
        let door = try await ECSDoor { plan in
            plan.clock = clock
            plan.scrubEvery = nil
        }
        #expect(clock.now() == WallTime("2027-01-15T08:00:00Z"))
        let policy = try await Self.policy(door), disk = try await Self.disk(door)
        _ = try await Self.apply(door, policy, disk)
        let house = door.house.household
        func taken() async throws -> [[String: Any]] {
            await house.scheduler.turn(house)
            return try await door.ask("DescribeSnapshots", ["SnapshotType": "auto"]).list("Snapshots", "Snapshot")
        }
        clock.advance(by: .seconds(11 * 3600 - 1))
        #expect(try await taken().isEmpty)
        clock.advance(by: .seconds(1))
        let made = try #require(try await taken().first)
        #expect(made["SnapshotName"] as? String == "auto2.0_20270116_\(policy)")
        #expect(made["CreationTime"] as? String == "2027-01-15T19:00:00Z" && made["RetentionDays"] as? Int == 30)
        #expect(made["SourceDiskId"] as? String == disk)
        try await door.accomplish(try #require(made["SnapshotId"] as? String))
        // At 22 o'clock again.
        clock.advance(by: .seconds(19 * 3600 - 1))
        #expect(try await taken().count == 1)
        clock.advance(by: .seconds(1))
        #expect(try await taken().count == 2)
        await door.house.close()
    }

    @Test("a policy copies to another region as long as that is asked for")
    func copies() async throws {
        let door = try await ECSDoor { $0.moreRegions = [RegionPlan(region: Region(name: "cn-shanghai"))] }
        let here = "[\"\(door.house.region.name)\"]"
        let copied = ["EnableCrossRegionCopy": "true", "TargetCopyRegions": "[\"cn-shanghai\"]"]
        try await door.refused(
            "CreateAutoSnapshotPolicy",
            Self.words.merging(copied) { $1 }.merging(["TargetCopyRegions": here]) { $1 }, 403,
            "InvalidParameter.TargetCopyRegions")
        let policy = try await Self.policy(door, copied.merging(["CopiedSnapshotsRetentionDays": "9"]) { $1 })
        var shown = try await Self.shown(door, policy)
        #expect(shown["EnableCrossRegionCopy"] as? Bool == true && shown["CopiedSnapshotsRetentionDays"] as? Int == 9)
        #expect(shown["TargetCopyRegions"] as? String == "[\"cn-shanghai\"]")
        let plan = try #require(try await door.house.policies.list().first?.plan)
        #expect(plan.schedules[0].copies == [.init(to: "cn-shanghai", keeping: .age(amount: 9, unit: .days))])
        func change(_ parameters: [String: String]) async throws {
            let change = parameters.merging(["autoSnapshotPolicyId": policy]) { $1 }
            #expect(try await door.ask("ModifyAutoSnapshotPolicyEx", change).status == 200)
            shown = try await Self.shown(door, policy)
        }
        try await change(["retentionDays": "5", "CopiedSnapshotsRetentionDays": "-1"])
        #expect(shown["RetentionDays"] as? Int == 5 && shown["CopiedSnapshotsRetentionDays"] as? Int == -1)
        try await change(["EnableCrossRegionCopy": "false"])
        #expect(shown["EnableCrossRegionCopy"] as? Bool == false && shown["RetentionDays"] as? Int == 5)
        #expect(try await door.house.policies.list().first?.plan?.schedules[0].copies.isEmpty == true)
        await door.house.close()
    }

    @Test("what this cloud has no words for is not shown: any change would make it another policy")
    func unspoken() async throws {
        let door = try await ECSDoor()
        var plan = HoursOfDays(hours: [3], days: [1]).plan(named: "own", on: [], keeping: .forever)
        plan.schedules[0].hasInstantAccess = true
        let made = try await door.house.policies.create(plan)
        func count() async throws -> Int? {
            try await door.ask("DescribeAutoSnapshotPolicyEx").fields["TotalCount"] as? Int
        }
        #expect(try await count() == 0)
        plan.schedules[0].hasInstantAccess = false
        _ = try await door.house.policies.change(made.id, to: plan)
        #expect(try await count() == 1)
        await door.house.close()
    }

    @Test("wrong policies are refused with the codes of the API")
    func refusals() async throws {
        let door = try await ECSDoor()
        for (name, value, status, code) in [
            ("repeatWeekdays", "", 400, "MissingParameter"), ("timePoints", "", 400, "MissingParameter"),
            ("retentionDays", "", 400, "MissingParameter"), ("repeatWeekdays", "[\"0\"]", 403, "ParameterInvalid"),
            ("repeatWeekdays", "[]", 403, "ParameterInvalid"), ("repeatWeekdays", "1,2", 403, "ParameterInvalid"),
            ("repeatWeekdays", "[\"1\",\"1\"]", 403, "ParameterInvalid"),
            ("timePoints", "[\"24\"]", 403, "ParameterInvalid"), ("retentionDays", "0", 403, "ParameterInvalid"),
            ("retentionDays", "65537", 403, "ParameterInvalid"), ("retentionDays", "x", 403, "ParameterInvalid"),
            ("autoSnapshotPolicyName", "a.b", 400, "InvalidSnapshotPolicyName.Malformed"),
            ("autoSnapshotPolicyName", "1a", 400, "InvalidSnapshotPolicyName.Malformed"),
            ("EnableCrossRegionCopy", "true", 403, "InvalidParameter.TargetCopyRegions"),
            ("TargetCopyRegions", "[\"nowhere\"]", 403, "InvalidParameter.TargetCopyRegions"),
            ("CopiedSnapshotsRetentionDays", "0", 403, "InvalidParameter.CopiedSnapshotsRetentionDays"),
            ("AssociationType", "AssociatedWithInstanceTag", 400, "InvalidParameter"),
            ("AssociationType", "AssociatedWithNothing", 400, "InvalidParameter"),
            ("TargetTags.1.Key", "k", 400, "InvalidParameter"), ("Tag.1.Key", "acs:1", 400, "InvalidTagKey.Malformed"),
        ] {
            try await door.refused("CreateAutoSnapshotPolicy", Self.words.merging([name: value]) { $1 }, status, code)
        }
        #expect(try await door.house.policies.list().isEmpty)
        let longest = try await Self.policy(door, ["retentionDays": "65536"])
        #expect(try await Self.shown(door, longest)["RetentionDays"] as? Int == 65_536)
        let apply = ["autoSnapshotPolicyId": longest]
        for (disks, status, code) in [
            ("", 400, "MissingParameter"), ("[]", 403, "ParameterInvalid"), ("d-1", 403, "ParameterInvalid"),
            ("[\"d-1\"]", 404, "InvalidDiskId.NotFound"),
        ] {
            try await door.refused("ApplyAutoSnapshotPolicy", apply.merging(["diskIds": disks]) { $1 }, status, code)
        }
        try await door.refused("CancelAutoSnapshotPolicy", ["diskIds": "x"], 404, "ParameterInvalid")
        try await door.refused("ApplyAutoSnapshotPolicy", ["diskIds": "[\"d-1\"]"], 400, "MissingParameter")
        let unknown = ["autoSnapshotPolicyId": "sp-1", "diskIds": "[\"d-1\"]"]
        for action in ["Apply", "Cancel", "Delete"] {
            try await door.refused("\(action)AutoSnapshotPolicy", unknown, 404, "ParameterInvalid")
        }
        await door.house.close()
    }

    @Test("there are 100 policies, and a disk is under 10 of them, however many are asked for at once")
    func limits() async throws {
        let door = try await ECSDoor()
        let disk = try await Self.disk(door)
        var policies: [String] = []
        for _ in 0..<100 { policies.append(try await Self.policy(door)) }
        try await door.refused("CreateAutoSnapshotPolicy", Self.words, 403, "AutoSnapshotPolicy.QuotaExceed")
        for policy in policies.prefix(8) { #expect(try await Self.apply(door, policy, disk).status == 200) }
        let codes = await withTaskGroup(of: String?.self) { group in
            for policy in policies[8..<14] {
                group.addTask { try? await Self.apply(door, policy, disk).code ?? "none" }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == "none" } == 2)
        #expect(codes.count { $0 == "QuotaExceed.AppliedAutoSnapshotPolicyQuota" } == 4)
        // One that it is under already is no more than that.
        #expect(try await Self.apply(door, policies[0], disk).status == 200)
        await door.house.close()
    }

    @Test("a policy by tags is on the disks of the instances that have any of them, as they are when it runs")
    func byInstanceTag() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance", ["SystemDisk.Size": "20", "DataDisk.1.Size": "20"])
            .text("InstanceId")
        let disk = try await door.usedDisk()
        let tags = [
            "AssociationType": "AssociatedWithInstanceTag", "TargetTags.1.Key": "team", "TargetTags.1.Value": "storage",
            "TargetTags.2.Key": "kept", "TargetTags.2.Value": "",
        ]
        let policy = try await Self.policy(door, tags)
        var shown = try await Self.shown(door, policy)
        #expect(shown["AssociationType"] as? String == "AssociatedWithInstanceTag" && shown["DiskNums"] as? Int == 0)
        let told = try #require((shown["TargetTags"] as? [String: Any])?["TargetTag"] as? [[String: String]])
        #expect(told == [["TagKey": "team", "TagValue": "storage"], ["TagKey": "kept", "TagValue": ""]])
        let tag = ["ResourceType": "instance", "ResourceId.1": host, "Tag.1.Key": "kept", "Tag.1.Value": ""]
        #expect(try await door.ask("TagResources", tag).status == 200)
        #expect(try await Self.shown(door, policy)["DiskNums"] as? Int == 2)
        let under = try await door.ask("DescribeAutoSnapshotPolicyAssociations", ["AutoSnapshotPolicyId": policy])
        #expect(try under.list("AutoSnapshotPolicyAssociations", "AutoSnapshotPolicyAssociation").count == 2)
        let found = try await door.ask("DescribeDisks", ["AutoSnapshotPolicyId": policy]).list("Disks", "Disk")
        #expect(found.count == 2 && found.allSatisfy { $0["InstanceId"] as? String == host })
        _ = try await door.house.policies.run(try #require(ECSID.native(policy, .policy)))
        let taken = try await door.ask("DescribeSnapshots", ["SnapshotType": "auto"]).list("Snapshots", "Snapshot")
        #expect(taken.count == 2 && !taken.contains { $0["SourceDiskId"] as? String == disk })
        try await door.refused(
            "ApplyAutoSnapshotPolicy", ["autoSnapshotPolicyId": policy, "diskIds": "[\"\(disk)\"]"], 403,
            "OperationDenied")
        // Renamed it keeps its tags; what it is on is changed either way.
        let rename = ["autoSnapshotPolicyId": policy, "autoSnapshotPolicyName": "renamed"]
        #expect(try await door.ask("ModifyAutoSnapshotPolicyEx", rename).status == 200)
        shown = try await Self.shown(door, policy)
        #expect(shown["DiskNums"] as? Int == 2 && shown["AutoSnapshotPolicyName"] as? String == "renamed")
        let byDisk = ["autoSnapshotPolicyId": policy, "AssociationType": "AssociatedWithDisk"]
        #expect(try await door.ask("ModifyAutoSnapshotPolicyEx", byDisk).status == 200)
        shown = try await Self.shown(door, policy)
        #expect(shown["DiskNums"] as? Int == 0 && shown["AssociationType"] as? String == "AssociatedWithDisk")
        let apply = ["autoSnapshotPolicyId": policy, "diskIds": "[\"\(disk)\"]"]
        #expect(try await door.ask("ApplyAutoSnapshotPolicy", apply).status == 200)
        for (name, value) in [("TargetTags.1.Value", nil), ("TargetTags.1.Key", "")] as [(String, String?)] {
            var wrong = tags
            wrong[name] = value
            try await door.refused(
                "CreateAutoSnapshotPolicy", Self.words.merging(wrong) { $1 }, 400, "InvalidParameter")
        }
        var many = tags
        for number in 3...6 { many["TargetTags.\(number).Key"] = "k\(number)" }
        for number in 3...6 { many["TargetTags.\(number).Value"] = "v" }
        try await door.refused("CreateAutoSnapshotPolicy", Self.words.merging(many) { $1 }, 400, "InvalidParameter")
        await door.house.close()
    }

    @Test("pages of associations follow one another by their tokens")
    func pages() async throws {
        let door = try await ECSDoor()
        let policy = try await Self.policy(door)
        for _ in 0..<12 { _ = try await Self.apply(door, policy, try await Self.disk(door)) }
        func page(_ more: [String: String]) async throws -> (disks: [String], next: String) {
            let reply = try await door.ask("DescribeAutoSnapshotPolicyAssociations", more)
            let rows = try reply.list("AutoSnapshotPolicyAssociations", "AutoSnapshotPolicyAssociation")
            return (rows.compactMap { $0["DiskId"] as? String }, try reply.text("NextToken"))
        }
        let first = try await page(["MaxResults": "10"])
        let second = try await page(["MaxResults": "10", "NextToken": first.next])
        #expect(first.disks.count == 10 && second.disks.count == 2 && second.next.isEmpty)
        #expect(Set(first.disks + second.disks).count == 12)
        await door.house.close()
    }
}
