import Blocks
import TestSupport
import Testing

@testable import Catalog
@testable import ControlPlane
@testable import ECSDialect

@Suite struct SnapshotTests {
    @Test("a disk is made, attached, snapshotted, described, set back, and gone, each in Alibaba's words")
    func story() async throws {
        let door = try await ECSDoor()
        let host = try await door.ask("CreateInstance", ["InstanceName": "web-1"]).text("InstanceId")
        let disk = try await door.ask(
            "CreateDisk",
            [
                "ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd", "DiskName": "data",
                "Tag.1.Key": "k", "Tag.1.Value": "v",
            ]
        ).text("DiskId")
        #expect(disk.hasPrefix("d-") && disk.utf8.count == 22)
        var seen = try await door.disk(disk)
        #expect(seen["Status"] as? String == "Available" && seen["Size"] as? Int == 20)
        #expect(seen["Category"] as? String == "cloud_essd" && seen["PerformanceLevel"] as? String == "PL1")
        #expect(seen["SerialNumber"] as? String == String(disk.dropFirst(2)) && seen["DiskName"] as? String == "data")
        _ = try await door.ask("AttachDisk", ["InstanceId": host, "DiskId": disk])
        seen = try await door.disk(disk)
        #expect(seen["Status"] as? String == "In_use" && seen["InstanceId"] as? String == host)
        #expect(seen["Device"] as? String == "/dev/xvdb")
        let snapshot = try await door.ask(
            "CreateSnapshot",
            [
                "DiskId": disk, "SnapshotName": "before", "Description": "some words", "RetentionDays": "7",
                "Tag.1.Key": "a", "Tag.1.Value": "b", "InstantAccess": "true",
            ]
        ).text("SnapshotId")
        #expect(snapshot.hasPrefix("s-") && snapshot.utf8.count == 22)
        let first = try await door.snapshot(snapshot)
        #expect(first["Available"] as? Bool == true && first["SourceDiskId"] as? String == disk)
        #expect(["progressing", "accomplished"].contains(first["Status"] as? String))
        try await door.accomplish(snapshot)
        let last = try await door.snapshot(snapshot)
        #expect(last["Status"] as? String == "accomplished" && last["Progress"] as? String == "100%")
        #expect(last["RemainTime"] as? Int == 0 && last["RetentionDays"] as? Int == 7)
        #expect(last["SourceDiskSize"] as? String == "20" && last["SnapshotName"] as? String == "before")
        #expect(
            last["SnapshotLinkId"] as? String == "sl-" + disk.dropFirst(2) && last["SnapshotType"] as? String == "user")
        let found = try await door.ask("DescribeSnapshots", ["InstanceId": host, "Tag.1.Key": "a"])
        #expect(try found.list("Snapshots", "Snapshot").count == 1 && found.fields["TotalCount"] as? Int == 1)
        // The instance is stopped, so its disk can be set back without taking it off.
        let reset = ["DiskId": disk, "SnapshotId": snapshot]
        #expect(try await door.ask("ResetDisk", reset).status == 200)
        #expect(try await door.disk(disk)["InstanceId"] as? String == host)
        try await door.refused("ResetDisk", reset.merging(["DryRun": "true"]) { a, _ in a }, 400, "DryRunOperation")
        _ = try await door.ask("StartInstance", ["InstanceId": host])
        try await door.refused("ResetDisk", reset, 403, "IncorrectInstanceStatus")
        let copy = try await door.ask(
            "CreateDisk", ["ZoneId": door.zone, "SnapshotId": snapshot, "Size": "1", "DiskCategory": "cloud_ssd"]
        ).text("DiskId")
        #expect(try await door.disk(copy)["Size"] as? Int == 20)
        #expect(try await door.snapshot(snapshot)["Usage"] as? String == "disk")
        try await door.refused("DeleteSnapshot", ["SnapshotId": snapshot], 403, "SnapshotCreatedDisk")
        #expect(try await door.ask("DeleteSnapshot", ["SnapshotId": snapshot, "Force": "true"]).status == 200)
        // Once more changes nothing, for whoever had it; nobody else learns that it was there.
        #expect(try await door.ask("DeleteSnapshot", ["SnapshotId": snapshot]).status == 200)
        let account = try await door.house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        for id in [snapshot, "s-00000000000000000000"] {
            try await door.refused(
                "DeleteSnapshot", ["SnapshotId": id], 404, "InvalidSnapshotId.NotFound", for: stranger)
        }
        _ = try await door.ask("DetachDisk", ["InstanceId": host, "DiskId": disk])
        try await door.refused("DetachDisk", ["InstanceId": host, "DiskId": disk], 404, "InvalidDisk.AlreadyDetached")
        #expect(try await door.ask("DeleteDisk", ["DiskId": disk]).status == 200)
        try await door.refused("DeleteDisk", ["DiskId": disk], 404, "InvalidDiskId.NotFound")
    }

    @Test("a volume of the house's own is a disk here, by the same id each time, and back")
    func sameObject() async throws {
        let door = try await ECSDoor()
        let volume = try await door.house.volumes.create(CreateVolume(size: .gibibytes(1), name: "own")).id
        let disks = try await door.ask("DescribeDisks").list("Disks", "Disk")
        let id = try #require(disks.first?["DiskId"] as? String)
        #expect(ECSID.native(id, .disk) == volume && disks.first?["Category"] as? String == "cloud_essd")
        try await door.use(id)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": id]).text("SnapshotId")
        #expect(try await door.house.snapshots.find(#require(ECSID.native(snapshot, .snapshot))).volumeId == volume)
    }

    @Test("wrong requests are refused with the codes of the API")
    func refusals() async throws {
        let door = try await ECSDoor()
        let zone = door.zone
        let disk = try await door.ask("CreateDisk", ["ZoneId": zone, "Size": "20"]).text("DiskId")
        let other = try await door.ask("CreateDisk", ["ZoneId": zone, "Size": "20"]).text("DiskId")
        try await door.refused("CreateSnapshot", ["DiskId": disk], 403, "IncorrectDiskStatus.NeverAttached")
        try await door.refused(
            "CreateSnapshot", ["DiskId": disk, "DryRun": "true"], 403, "IncorrectDiskStatus.NeverAttached")
        try await door.use(disk)
        let snapshot = try await door.ask("CreateSnapshot", ["DiskId": disk, "RetentionDays": "9"]).text("SnapshotId")
        try await door.accomplish(snapshot)
        func create(_ more: [String: String], _ status: Int, _ code: String) async throws {
            try await door.refused("CreateSnapshot", more.merging(["DiskId": disk]) { a, _ in a }, status, code)
        }
        try await door.refused("CreateSnapshot", [:], 400, "MissingParameter")
        try await create(["DiskId": "d-00000000000000000000"], 404, "InvalidDiskId.NotFound")
        for name in ["a", "auto1", "1a", "http://a", "a b"] {
            try await create(["SnapshotName": name], 400, "InvalidSnapshotName.Malformed")
        }
        try await create(["Description": "x"], 404, "InvalidDescription.Malformed")
        for days in ["0", "65537", "-1", "x"] {
            try await create(["RetentionDays": days], 400, "InvalidRetentionDays.Malformed")
        }
        try await create(["Tag.1.Key": "aliyun1"], 400, "InvalidTagKey.Malformed")
        try await create(["Tag.1.Key": "a", "Tag.2.Key": "a"], 400, "Duplicate.TagKey")
        try await create(["Tag.1.Key": "a", "Tag.1.Value": "http://a"], 400, "InvalidTagValue.Malformed")
        try await create(["Category": "gold"], 403, "InvalidSnapshotCategory.Malformed")
        try await create(
            ["Category": "Flash", "InstantAccess": "true"], 403, "InvalidCategoryAndInstantAccess.Malformed")
        try await create(
            ["InstantAccessRetentionDays": "0"], 403, "InvalidInstantAccessRetentionDays.Malformed")
        let modify = ["SnapshotId": snapshot]
        try await door.refused("ModifySnapshotAttribute", modify, 400, "NoAttributeToModify")
        try await door.refused(
            "ModifySnapshotAttribute", modify.merging(["RetentionDays": "8"]) { a, _ in a }, 400,
            "InvalidOperation.DecreaseRetentionDaysUnsupported")
        #expect(
            try await door.ask(
                "ModifySnapshotAttribute", modify.merging(["RetentionDays": "10", "SnapshotName": "new"]) { a, _ in a }
            ).status == 200)
        let changed = try await door.snapshot(snapshot)
        #expect(changed["RetentionDays"] as? Int == 10 && changed["SnapshotName"] as? String == "new")
        try await door.refused(
            "ResetDisk", ["DiskId": other, "SnapshotId": snapshot], 403, "InvalidParameter.Mismatch")
        try await door.refused(
            "ResetDisk", ["DiskId": other, "SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound")
        try await door.refused("CreateDisk", ["Size": "20"], 400, "MissingParameter")
        try await door.refused("CreateDisk", ["ZoneId": zone], 400, "MissingParameter")
        try await door.refused("CreateDisk", ["ZoneId": "no", "Size": "20"], 404, "InvalidZoneId.NotFound")
        try await door.refused(
            "CreateDisk", ["ZoneId": zone, "Size": "4"], 400, "InvalidSize.ValueNotSupported")
        try await door.refused(
            "CreateDisk", ["ZoneId": zone, "Size": "20", "DiskCategory": "gp2"], 400,
            "InvalidDiskCategory.ValueNotSupported")
        try await door.refused(
            "CreateDisk", ["ZoneId": zone, "Size": "20", "DiskCategory": "cloud_essd", "PerformanceLevel": "PL9"], 400,
            "InvalidPerformanceLevel.Malformed")
        try await door.refused("ResizeDisk", ["DiskId": disk, "NewSize": "10"], 403, "InvalidDiskSize.TooSmall")
        try await door.refused("ResizeDisk", ["DiskId": disk, "NewSize": "20"], 403, "InvalidDiskSize")
        try await door.refused("ResizeDisk", ["DiskId": disk, "NewSize": "2001"], 403, "InvalidDiskSize.TooLarge")
        #expect(try await door.ask("ResizeDisk", ["DiskId": disk, "NewSize": "30"]).status == 200)
        #expect(try await door.disk(disk)["Size"] as? Int == 30)
        try await door.refused("ModifyDiskAttribute", ["DiskId": disk], 400, "NoAttributeToModify")
        try await door.refused(
            "ModifyDiskAttribute", ["DiskId": disk, "DiskName": "1"], 400, "InvalidDiskName.Malformed")
        for (name, value, status, code) in [
            ("Status", "done", 404, "InvalidStatus.NotFound"),
            ("SnapshotType", "x", 404, "InvalidSnapshotType.NotFound"), ("Usage", "x", 404, "InvalidUsage"),
            ("SourceDiskType", "x", 404, "InvalidSourceDiskType"),
            ("SnapshotLinkId", "sl-x", 404, "InvalidSnapshotLinkId.NotFound"),
            ("PageNumber", "0", 400, "InvalidParameter"), ("PageSize", "101", 400, "InvalidParameter"),
            ("NextToken", "forged", 400, "InvalidParameter"), ("SnapshotIds", "x", 400, "InvalidParameter"),
            ("RegionId", "nowhere", 404, "InvalidRegionId.NotFound"),
            ("Tag.1.Value", "v", 400, "InvalidTag.Mismatch"),
        ] {
            try await door.refused("DescribeSnapshots", [name: value], status, code)
        }
        try await door.refused("DescribeDisks", ["DiskIds": "x"], 400, "InvalidParameter.DiskIds")
        try await door.refused("DescribeDisks", ["Status": "x"], 400, "InvalidStatus.ValueNotSupported")
        try await door.refused("NoSuchAction", [:], 404, "InvalidAction.NotFound")
    }

    @Test("pages by number and by token show each snapshot once, newest first")
    func pages() async throws {
        let door = try await ECSDoor()
        let disk = try await door.usedDisk()
        var made: Set<String> = []
        for _ in 0..<12 {
            let id = try await door.ask("CreateSnapshot", ["DiskId": disk]).text("SnapshotId")
            try await door.accomplish(id)
            made.insert(id)
        }
        var seen: [String] = []
        for number in 1...3 {
            let reply = try await door.ask("DescribeSnapshots", ["PageNumber": "\(number)", "PageSize": "5"])
            seen += try reply.list("Snapshots", "Snapshot").compactMap { $0["SnapshotId"] as? String }
            #expect(reply.fields["TotalCount"] as? Int == 12 && reply.fields["PageNumber"] as? Int == number)
        }
        #expect(seen.count == 12 && Set(seen) == made)
        let first = try await door.ask("DescribeSnapshots", ["MaxResults": "10"])
        let token = try first.text("NextToken")
        let rest = try await door.ask("DescribeSnapshots", ["NextToken": token])
        #expect(try rest.text("NextToken") == "")
        let all = try (first.list("Snapshots", "Snapshot") + rest.list("Snapshots", "Snapshot"))
            .compactMap { $0["SnapshotId"] as? String }
        #expect(all == seen)
        try await door.refused("DescribeSnapshots", ["NextToken": token, "DiskId": disk], 400, "InvalidParameter")
    }

    @Test("answers are XML where that is asked for, with the same nesting, and errors too")
    func xml() async throws {
        let door = try await ECSDoor()
        let disk = try await door.ask("CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskName": "a.b"]).text(
            "DiskId")
        let answer = await door.raw("DescribeDisks", format: "XML")
        #expect(answer.body.contains("<DescribeDisksResponse><RequestId>REQUEST</RequestId>"))
        #expect(answer.body.contains("<Disks><Disk><DiskId>\(disk)</DiskId><DiskName>a.b</DiskName>"))
        #expect(answer.body.contains("<TotalCount>1</TotalCount><PageNumber>1</PageNumber><PageSize>10</PageSize>"))
        #expect(answer.body.contains("<Tags></Tags>") && answer.type.hasPrefix("text/xml"))
        let refusal = await door.raw("DeleteDisk", ["DiskId": "d-1"], format: "XML")
        #expect(
            refusal.body.contains(
                "<Error><RequestId>REQUEST</RequestId><HostId>127.0.0.1:8420</HostId><Code>InvalidDiskId.NotFound</Code>"
            ))
        #expect(refusal.status == 404 && !refusal.body.contains("Recommend"))
    }

    @Test("a client token makes one snapshot, and is good for one request")
    func token() async throws {
        let door = try await ECSDoor()
        let disk = try await door.usedDisk()
        let ask = ["DiskId": disk, "ClientToken": "t-1"]
        let first = try await door.ask("CreateSnapshot", ask).text("SnapshotId")
        #expect(try await door.ask("CreateSnapshot", ask).text("SnapshotId") == first)
        try await door.accomplish(first)
        #expect(try await door.ask("CreateSnapshot", ask).text("SnapshotId") == first)
        try await door.refused(
            "CreateSnapshot", ask.merging(["SnapshotName": "other"]) { a, _ in a }, 403, "IdempotentParameterMismatch")
        try await door.refused(
            "CreateSnapshot", ["DiskId": disk, "ClientToken": "é"], 403, "InvalidClientToken.Malformed")
        #expect(try await door.house.snapshots.list().count == 1)
        #expect(try await door.ask("DeleteSnapshot", ["SnapshotId": first]).status == 200)
        try await door.refused("CreateSnapshot", ask, 403, "IdempotentParameterMismatch")
    }

    @Test("what is told of one disk, or of all, costs the same whatever others have and policies took")
    func cost() async throws {
        let door = try await ECSDoor()
        let house = door.house.household
        let disks = try await [
            door.ask("CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd"]).text("DiskId"),
            door.ask("CreateDisk", ["ZoneId": door.zone, "Size": "20", "DiskCategory": "cloud_essd"]).text("DiskId"),
        ]
        let other = try #require(ECSID.native(disks[1], .disk))
        let schedule = PolicyPlan.Schedule(
            "daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 900))
        let policy = try await door.house.policies.create(
            PolicyPlan(name: "p", targets: .init(.volumes, ids: [other]), schedules: [schedule])
        ).id
        let requests = [
            ("DescribeDisks", [:]), ("DescribeSnapshots", ["DiskId": disks[0]]), ("DescribeAutoSnapshotPolicyEx", [:]),
        ]
        func steps() async throws -> [Int] {
            var taken: [Int] = []
            for (action, parameters) in requests {
                let before = try await house.catalog.change { try #require($0.connection as? SQLiteConnection).steps }
                #expect(try await door.ask(action, parameters).status == 200)
                let after = try await house.catalog.change { try #require($0.connection as? SQLiteConnection).steps }
                taken.append(after - before)
            }
            return taken
        }
        let few = try await steps()
        try await house.catalog.change { session in
            for number in 1...300 {
                let snapshot = SnapshotRecord(
                    id: Identifier.snapshot.next(), volumeID: other, state: .completed, volumeSize: .gibibytes(20),
                    createdAt: WallTime(milliseconds: Int64(number)))
                try session.insert(snapshot)
                try session.insert(
                    PolicySnapshotRecord(
                        snapshotID: snapshot.id, runID: "run-\(number)", volumeID: other, policyID: policy,
                        schedules: ["daily"], targetID: other))
            }
        }
        let many = try await steps()
        for (index, request) in requests.enumerated() {
            #expect(many[index] < few[index] + 1000, "\(request.0): \(few[index]) and \(many[index]) steps")
        }
        #expect(try await door.ask("DescribeSnapshots", ["DiskId": disks[1]]).fields["TotalCount"] as? Int == 300)
    }
}
