import Blocks
import ControlPlane
import Testing

@testable import KingsoftDialect

@Suite struct VolumeTests {
    @Test("a volume from its making to its end, in this cloud's words")
    func life() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume("SSD3.0", ["VolumeName": "db", "Tag.1.Key": "k", "Tag.1.Value": "v"])
        let shown = try #require(try await counter.ask("DescribeVolumes", ["VolumeId.1": volume]).list("Volumes").first)
        #expect(shown["VolumeName"] as? String == "db" && shown["Size"] as? Int == 10)
        #expect(shown["VolumeStatus"] as? String == "available" && shown["VolumeType"] as? String == "SSD3.0")
        #expect(shown["VolumeCategory"] as? String == "data" && shown["ProjectId"] as? Int == 0)
        // Clients take these for something else when they are there and empty.
        #expect(shown["InstanceId"] == nil && shown["Attachment"] == nil && shown["AutoSnapshotPolicyId"] == nil)
        #expect((shown["Tags"] as? [[String: String]]) == [["TagKey": "k", "TagValue": "v"]])
        let host = try await counter.instance()
        let attached = try await counter.ask(
            "AttachVolume", ["VolumeId": volume, "InstanceId": host, "DeleteWithInstance": "True"])
        #expect(attached["Return"] as? Bool == true && attached.text("MountPoint") == "/dev/vdb")
        let there = try #require(
            try await counter.ask("DescribeVolumes", ["VolumeStatus": "inuse"]).list("Volumes").first)
        #expect(there["VolumeStatus"] as? String == "in-use" && there["InstanceId"] as? String == host)
        let place = try #require((there["Attachment"] as? [[String: Any]])?.first)
        #expect(place["MountPoint"] as? String == "/dev/vdb" && place["DeleteWithInstance"] as? Bool == true)
        #expect(try await counter.ask("DeleteVolume", ["VolumeId": volume]).code == "VolumeStatusError")
        #expect(
            try await counter.ask("AttachVolume", ["VolumeId": volume, "InstanceId": host]).code == "VolumeStatusError")
        let listed = try await counter.ask("DescribeInstanceVolumes", ["InstanceId": host])
        #expect(listed.list("Attachments").map { $0["VolumeId"] as? String } == [volume])
        #expect(
            try await counter.ask("ResizeVolume", ["VolumeId": volume, "Size": "12", "OnlineResize": "true"])["Return"]
                as? Bool == true)
        for size in ["12", "11", "32001", "0", "x"] {
            let said = try await counter.ask("ResizeVolume", ["VolumeId": volume, "Size": size])
            #expect(said.code == "SizeInvalidParameterValue", "\(size): \(said.body)")
        }
        #expect(
            try await counter.ask(
                "ModifyVolume", ["VolumeId": volume, "VolumeName": "new", "DeleteWithInstance": "false"])["Return"]
                as? Bool == true)
        #expect(try await counter.ask("DetachVolume", ["VolumeId": volume])["Return"] as? Bool == true)
        #expect(try await counter.ask("DetachVolume", ["VolumeId": volume]).code == "VolumeStatusError")
        #expect(
            try await counter.ask("ModifyVolume", ["VolumeId": volume, "DeleteWithInstance": "true"]).code
                == "VolumeStatusError")
        let last = try #require(
            try await counter.ask("DescribeVolumes", ["VolumeExactName": "new"]).list("Volumes").first)
        #expect(last["Size"] as? Int == 12)
        #expect(
            try await counter.ask("DeleteVolume", ["VolumeId": volume, "ForceDelete": "true"])["Return"] as? Bool
                == true)
        let gone = try await counter.ask("DescribeVolumes", ["VolumeId.1": volume])
        #expect(gone.status == 200 && gone["Volumes"] as? [String] == [] && gone["TotalCount"] as? Int == 0)
        for action in ["DeleteVolume", "CreateSnapshot", "DetachVolume", "ModifyVolume"] {
            let said = try await counter.ask(action, ["VolumeId": volume])
            #expect(said.status == 404 && said.code == "VolumeCanNotFoundError", "\(action): \(said.body)")
        }
        await counter.house.close()
    }

    @Test("volumes that are attached at once each find a place, as many as an instance takes")
    func attachedAtOnce() async throws {
        let counter = try await Counter()
        let host = try await counter.instance()
        var volumes: [String] = []
        for _ in 0..<10 { volumes.append(try await counter.volume()) }
        let said = try await withThrowingTaskGroup(of: [String?].self) { group in
            for volume in volumes {
                group.addTask {
                    let said = try await counter.ask("AttachVolume", ["VolumeId": volume, "InstanceId": host])
                    return [said.text("MountPoint"), said.code]
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(said.compactMap { $0[0] }) == Set("bcdefghi".map { "/dev/vd\($0)" }))
        #expect(said.compactMap { $0[1] } == ["InstanceStatusError", "InstanceStatusError"])
        await counter.house.close()
    }

    @Test("names are compared as a whole, and filters that are not known are refused")
    func filters() async throws {
        let counter = try await Counter()
        for name in ["pvc-1", "pvc-12", "pvc-2"] { _ = try await counter.volume("EHDD", ["VolumeName": name]) }
        func names(_ parameters: [String: String]) async throws -> [String] {
            try await counter.ask("DescribeVolumes", parameters).list("Volumes").compactMap {
                $0["VolumeName"] as? String
            }
        }
        #expect(try await names(["VolumeExactName": "pvc-1", "VolumeCategory": "data"]) == ["pvc-1"])
        for near in ["pvc", "PVC-1", "pvc-1 ", "pvc-1*", "pvc-%"] {
            #expect(try await names(["VolumeExactName": near]) == [], "\(near)")
        }
        #expect(try await names(["VolumeType": "EHDD"]) == ["pvc-1", "pvc-12", "pvc-2"])
        #expect(try await names(["VolumeType": "SSD3.0"]) == [])
        #expect(try await names(["VolumeCategory": "system"]) == [])
        #expect(try await names(["ProjectId.1": "5"]) == [])
        #expect(try await names(["ProjectId.1": "5", "ProjectId.2": "0"]).count == 3)
        #expect(try await names(["VolumeCreateStartDate": "2000-01-01", "VolumeCreateEndDate": "2000-01-02"]) == [])
        let page = try await counter.ask("DescribeVolumes", ["MaxResults": "2"])
        #expect(page.list("Volumes").count == 2 && page["TotalCount"] as? Int == 3 && page["Marker"] as? Int == 2)
        let rest = try await counter.ask("DescribeVolumes", ["MaxResults": "2", "Marker": "2"])
        #expect(rest.list("Volumes").count == 1 && rest["Marker"] == nil)
        let unknown = try await counter.ask("DescribeVolumes", ["VolumeNames": "x"])
        #expect(unknown.status == 400 && unknown.code == "UnsupportedParameter")
        #expect(
            try await counter.ask("DescribeVolumes", ["VolumeStatus": "new"]).code
                == "VolumeStatusInvalidParameterValue")
        #expect(
            try await counter.ask("DescribeVolumes", ["VolumeCreateDate": "x"]).code
                == "VolumeCreateDateInvalidParameterValue")
        #expect(try await counter.ask("DescribeVolumes", ["Tag.1.Value": "x"]).code == "TagInvalidParameterValue")
        await counter.house.close()
    }

    @Test("what a volume cannot be is refused with its parameter's code")
    func refusals() async throws {
        let counter = try await Counter()
        let right = ["VolumeType": "SSD3.0", "Size": "10", "AvailabilityZone": Counter.zone]
        for (change, code) in [
            (["VolumeType": ""], "VolumeTypeRequired"), (["VolumeType": "gp3"], "VolumeTypeInvalidParameterValue"),
            (["Size": ""], "SizeRequired"), (["Size": "9"], "SizeInvalidParameterValue"),
            (["Size": "32001"], "SizeInvalidParameterValue"), (["AvailabilityZone": ""], "AvailabilityZoneRequired"),
            (["AvailabilityZone": "mars"], "AvailabilityZoneInvalidParameterValue"),
            (["VolumeName": "x"], "VolumeNameInvalidParameterValue"),
            (["VolumeType": "ESSD_PL2", "Size": "460"], "SizeInvalidParameterValue"),
            (["ChargeType": "Monthly"], "PurchaseTimeRequired"),
            (["ChargeType": "Never"], "ChargeTypeInvalidParameterValue"),
            (["ProvisionedIops": "10"], "ProvisionedIopsInvalidParameterValue"),
            (["SnapshotId": "00000000-0000-4000-8000-000000000000"], "SnapshotCanNotFoundError"),
            (["ProjectId": "-1"], "ProjectIdInvalidParameterValue"),
            (["VolumeDesc": "see https://example.org"], "VolumeDescInvalidParameterValue"),
            (["VolumeDesc": String(repeating: "x", count: 129)], "VolumeDescInvalidParameterValue"),
        ] {
            let said = try await counter.ask("CreateVolume", right.merging(change) { $1 })
            #expect(said.code == code, "\(change): \(said.body)")
        }
        #expect(
            try await counter.ask("CreateVolume", right.merging(["DryRun": "true"]) { $1 })["Return"] as? Bool == true)
        #expect(try await counter.house.volumes.list().isEmpty)
        let fast = try await counter.volume("ESSD_AutoPL", ["ProvisionedIops": "500"])
        let made = try await counter.house.volumes.list()
        #expect(KingsoftID.uuid(made[0].id, .volume) == fast && made[0].profile.iops == 1800 + 50 * 40 + 500)
        await counter.house.close()
    }

    @Test("a request with a token is done once")
    func token() async throws {
        let counter = try await Counter()
        let first = try await counter.volume("SSD3.0", ["ClientToken": "a"])
        #expect(try await counter.volume("SSD3.0", ["ClientToken": "a"]) == first)
        let other = try await counter.volume("EHDD", ["ClientToken": "a"])
        #expect(other.contains("ClientTokenInvalidParameterValue"))
        #expect(try await counter.ask("DescribeVolumes")["TotalCount"] as? Int == 1)
        let snapshot = try await counter.snapshot(first, ["ClientToken": "b"])
        #expect(try await counter.snapshot(first, ["ClientToken": "b"]) == snapshot)
        #expect(try await counter.ask("DescribeSnapshots")["TotalCount"] as? Int == 1)
        await counter.house.close()
    }
}
