import Blocks
import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct PolicyTests {
    private static let daily = [
        "AutoSnapshotPolicyName": "每天-1", "AutoSnapshotTime.0": "3", "AutoSnapshotTime.1": "22",
        "AutoSnapshotDate.1": "1",
        "AutoSnapshotDate.2": "7", "RetentionTime": "30",
    ]

    private func policies(_ counter: Counter, _ parameters: [String: String] = [:]) async throws -> [[String: Any]] {
        try await counter.ask("DescribeAutoSnapshotPolicy", parameters, .kec).list("AutoSnapshotPolicySet")
    }

    @Test("a policy from its making to its end, in this cloud's words and by the clock of Beijing")
    func life() async throws {
        let counter = try await Counter()
        let made = try await counter.ask("CreateAutoSnapshotPolicy", Self.daily, .kec)
        let policy = try #require(made.text("AutoSnapshotPolicyId"), "\(made.body)")
        let shown = try #require(
            try await policies(counter, ["AutoSnapshotPolicyId.0": policy, "AutoSnapshotPolicyName": "每天-1"]).first)
        #expect(shown["AutoSnapshotTime"] as? [String] == ["3", "22"])
        #expect(shown["AutoSnapshotDate"] as? [String] == ["1", "7"])
        #expect(shown["RetentionTime"] as? Int == 30 && shown["SnapshotType"] as? String == "CommonSnapshot")
        let plan = try #require(try await counter.house.policies.list().first?.plan)
        #expect(
            plan.schedules[0].when.next(after: try #require(WallTime("2026-11-28T00:00:00Z")))
                == WallTime("2026-11-28T19:00:00Z"))
        // Sunday 3 o'clock of Beijing is Saturday 19 o'clock in UTC.
        let volume = try await counter.volume(), other = try await counter.volume("EHDD")
        let both = ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume, "AttachVolumeId.2": other]
        let set = try await counter.ask("ApplyAutoSnapshotPolicy", both, .kec)["ReturnSet"] as? [String: Any]
        #expect(set?["AttachVolumeIdSuccess"] as? [String] == [volume, other])
        let listed = try await counter.ask("DescribeVolumes", ["VolumeId.1": volume]).list("Volumes").first
        #expect(listed?["AutoSnapshotPolicyId"] as? String == policy)
        // A volume has one policy: the last one that it was put under.
        let second = try #require(
            try await counter.ask(
                "CreateAutoSnapshotPolicy",
                Self.daily.merging(["AutoSnapshotPolicyName": "second", "RetentionTime": ""]) { $1 }, .kec
            ).text("AutoSnapshotPolicyId"))
        _ = try await counter.ask(
            "ApplyAutoSnapshotPolicy", ["AutoSnapshotPolicyId": second, "AttachVolumeId.1": volume], .kec)
        let counts = try await policies(counter).map { $0["AttachEBSVolumeNum"] as? Int }
        #expect(counts == [1, 1])
        #expect(try await policies(counter, ["AutoSnapshotPolicyId.1": second]).first?["RetentionTime"] as? Int == 0)
        let changed = try await counter.ask(
            "ModifyAutoSnapshotPolicy",
            ["AutoSnapshotPolicyId": policy, "AutoSnapshotTime": "5", "SnapshotType": "localsnapshot"], .kec)
        #expect(changed["Return"] as? Bool == true)
        let now = try #require(try await policies(counter, ["AutoSnapshotPolicyId.1": policy]).first)
        #expect(now["AutoSnapshotTime"] as? [String] == ["5"] && now["SnapshotType"] as? String == "LocalSnapshot")
        #expect(now["RetentionTime"] as? Int == 30 && now["AttachEBSVolumeNum"] as? Int == 1)
        _ = try await counter.ask(
            "CancelAutoSnapshotPolicy", ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": other], .kec)
        #expect(
            try await policies(counter, ["AutoSnapshotPolicyId.1": policy]).first?["AttachEBSVolumeNum"] as? Int == 0)
        let deleted = try await counter.ask("DeleteAutoSnapshotPolicy", ["AutoSnapshotPolicyId.1": policy], .kec)
        #expect(deleted["AutoSnapshotPolicySet"] as? [String] == [policy])
        let again = try await counter.ask("DeleteAutoSnapshotPolicy", ["AutoSnapshotPolicyId.1": policy], .kec)
        #expect(again.status == 404 && again.code == "AutoSnapshotPolicyCanNotFoundError")
        #expect(try await policies(counter, ["AutoSnapshotPolicyId.1": policy]).isEmpty)
        await counter.house.close()
    }

    @Test("a policy runs, and its snapshots are told from others")
    func run() async throws {
        let counter = try await Counter()
        let policy = try #require(
            try await counter.ask("CreateAutoSnapshotPolicy", Self.daily, .kec).text("AutoSnapshotPolicyId"))
        let volume = try await counter.volume()
        _ = try await counter.ask(
            "ApplyAutoSnapshotPolicy", ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume], .kec)
        _ = try await counter.house.policies.run(try #require(KingsoftID.id(policy, .policy)))
        let made = try #require(
            try await counter.ask("DescribeSnapshots", ["VolumeId": volume]).list("Snapshots").first)
        #expect(made["AutoSnapshot"] as? Bool == true)
        // Of its name nothing but the digit is a letter or a digit of names here; then comes the minute.
        let name = try #require(made["SnapshotName"] as? String)
        #expect(name.hasPrefix("auto-1-20") && name.utf8.count == 19, "\(name)")
        await counter.house.close()
    }

    @Test("a policy's snapshots are of the type that it says, which each service spells in its way")
    func types() async throws {
        let counter = try await Counter()
        let local = Self.daily.merging(["SnapshotType": "LocalSnapShot"]) { $1 }
        let policy = try #require(
            try await counter.ask("CreateAutoSnapshotPolicy", local, .kec).text("AutoSnapshotPolicyId"))
        #expect(try await policies(counter).first?["SnapshotType"] as? String == "LocalSnapshot")
        let volume = try await counter.volume()
        _ = try await counter.ask(
            "ApplyAutoSnapshotPolicy", ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume], .kec)
        let id = try #require(KingsoftID.id(policy, .policy))
        _ = try await counter.house.policies.run(id)
        let common = ["AutoSnapshotPolicyId": policy, "SnapshotType": "commonsnapshot"]
        #expect(try await counter.ask("ModifyAutoSnapshotPolicy", common, .kec)["Return"] as? Bool == true)
        #expect(try await policies(counter).first?["SnapshotType"] as? String == "CommonSnapshot")
        _ = try await counter.house.policies.run(id)
        let taken = try await counter.ask("DescribeSnapshots", ["VolumeId": volume]).list("Snapshots")
        #expect(
            Set(taken.compactMap { $0["SnapshotType"] as? String }) == ["LocalSnapShot", "CommonSnapShot"]
                && taken.count == 2)
        await counter.house.close()
    }

    @Test("what this cloud has no words for is not shown: any change would make it another policy")
    func unspoken() async throws {
        let counter = try await Counter()
        let when = HoursOfDays(hours: [3], days: [1])
        for kept in [Retention.forever, .newest(count: 8), .age(amount: 2, unit: .weeks)] {
            _ = try await counter.house.policies.create(when.plan(named: "own", on: [], keeping: kept))
        }
        #expect(try await policies(counter).isEmpty)
        _ = try await counter.house.policies.create(when.plan(named: "own", on: [], keeping: .newest(count: 7)))
        #expect(try await policies(counter).map { $0["RetentionTime"] as? Int } == [0])
        await counter.house.close()
    }

    @Test("a change of a policy keeps the volumes that are put under it meanwhile")
    func changedMeanwhile() async throws {
        let counter = try await Counter()
        let policy = try #require(
            try await counter.ask("CreateAutoSnapshotPolicy", Self.daily, .kec).text("AutoSnapshotPolicyId"))
        var volumes: [String] = []
        for _ in 0..<8 { volumes.append(try await counter.volume()) }
        let statuses = await withTaskGroup(of: Int?.self) { group in
            for (hour, volume) in volumes.enumerated() {
                let put = ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume]
                let change = ["AutoSnapshotPolicyId": policy, "AutoSnapshotTime": "\(hour)"]
                group.addTask { try? await counter.ask("ApplyAutoSnapshotPolicy", put, .kec).status }
                group.addTask { try? await counter.ask("ModifyAutoSnapshotPolicy", change, .kec).status }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 16))
        #expect(try await policies(counter).first?["AttachEBSVolumeNum"] as? Int == 8)
        await counter.house.close()
    }

    @Test("what a policy cannot be is refused with its parameter's code")
    func refusals() async throws {
        let counter = try await Counter()
        for (change, code) in [
            (["AutoSnapshotPolicyName": ""], "AutoSnapshotPolicyNameRequired"),
            (["AutoSnapshotPolicyName": "x"], "AutoSnapshotPolicyNameInvalidParameterValue"),
            (["AutoSnapshotTime.0": "24"], "AutoSnapshotTimeInvalidParameterValue"),
            (["AutoSnapshotDate.1": "0"], "AutoSnapshotDateInvalidParameterValue"),
            (["RetentionTime": "10000"], "RetentionTimeInvalidParameterValue"),
            (["SnapshotType": "Other"], "SnapshotTypeInvalidParameterValue"),
        ] {
            let said = try await counter.ask("CreateAutoSnapshotPolicy", Self.daily.merging(change) { $1 }, .kec)
            #expect(said.code == code, "\(change): \(said.body)")
        }
        let nothing = try await counter.ask("CreateAutoSnapshotPolicy", ["AutoSnapshotPolicyName": "some"], .kec)
        #expect(nothing.code == "AutoSnapshotTimeRequired")
        for _ in 0..<10 { _ = try await counter.ask("CreateAutoSnapshotPolicy", Self.daily, .kec) }
        #expect(try await counter.ask("CreateAutoSnapshotPolicy", Self.daily, .kec).code == "PolicyQuotaExceeded")
        let policy = try #require(try await policies(counter).first?["AutoSnapshotPolicyId"] as? String)
        let fast = try await counter.volume("ESSD_PL1")
        for (volume, code) in [(fast, "VolumeTypeNotSupportSnapshot"), ("x", "VolumeCanNotFoundError")] {
            let said = try await counter.ask(
                "ApplyAutoSnapshotPolicy", ["AutoSnapshotPolicyId": policy, "AttachVolumeId.1": volume], .kec)
            #expect(said.code == code, "\(said.body)")
        }
        await counter.house.close()
    }
}
