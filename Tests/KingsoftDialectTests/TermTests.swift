import Blocks
import ControlPlane
import Testing

@testable import KingsoftDialect

/// What is kept of volumes for answers alone.
@Suite struct TermTests {
    private func shown(_ counter: Counter, _ volume: String) async throws -> [String: Any] {
        try #require(try await counter.ask("DescribeVolumes", ["VolumeId.1": volume]).list("Volumes").first)
    }

    @Test("what is said of a volume and of how it is paid for is told again, in the recycle bin too")
    func kept() async throws {
        let counter = try await Counter()
        let monthly = ["VolumeDesc": "the database", "ChargeType": "Monthly", "PurchaseTime": "2"]
        let volume = try await counter.volume("SSD3.0", monthly), plain = try await counter.volume()
        let first = try await shown(counter, volume), other = try await shown(counter, plain)
        #expect(first["VolumeDesc"] as? String == "the database" && other["VolumeDesc"] as? String == "")
        #expect(first["ChargeType"] as? String == "Monthly" && other["ChargeType"] as? String == "Daily")
        #expect((first["ExpireTime"] as? String)?.utf8.count == 19 && other["ExpireTime"] == nil)
        #expect(try await counter.house.volumes.list().first { $0.name == nil }?.description == "the database")
        let renewed = try await counter.ask("RenewVolume", ["VolumeId": volume, "PurchaseTime": "12"])
        #expect(renewed["PaidMoney"] as? Int == 0)
        let later = try await shown(counter, volume)
        #expect(
            try #require(later["ExpireTime"] as? String) > #require(first["ExpireTime"] as? String),
            "\(later) \(first)")
        let change = ["VolumeId": volume, "VolumeName": "db-1", "VolumeDesc": "another"]
        #expect(try await counter.ask("ModifyVolume", change)["Return"] as? Bool == true)
        let bill = ["VolumeId.1": volume, "VolumeId.2": plain, "BillType": "87"]
        #expect(try await counter.ask("ModifyDiskChargeType", bill)["Return"] as? Bool == true)
        _ = try await counter.ask("DeleteVolume", ["VolumeId": volume])
        let binned = try await shown(counter, volume)
        #expect(binned["VolumeStatus"] as? String == "recycling" && binned["ExpireTime"] == nil)
        #expect(binned["VolumeDesc"] as? String == "another" && binned["VolumeName"] as? String == "db-1")
        #expect(binned["ChargeType"] as? String == "HourlyInstantSettlement")
        for (action, parameters, code) in [
            ("RenewVolume", ["VolumeId": plain, "PurchaseTime": "1"], "VolumeIdInvalidParameterValue"),
            ("RenewVolume", ["VolumeId": plain], "PurchaseTimeRequired"),
            ("RenewVolume", ["VolumeId": volume, "PurchaseTime": "1"], "VolumeCanNotFoundError"),
            ("ModifyDiskChargeType", ["VolumeId.1": plain], "BillTypeRequired"),
            ("ModifyDiskChargeType", ["VolumeId.1": plain, "BillType": "6"], "BillTypeInvalidParameterValue"),
            ("ModifyDiskChargeType", ["VolumeId.1": "x", "BillType": "5"], "VolumeCanNotFoundError"),
        ] as [(String, [String: String], String)] {
            let said = try await counter.ask(action, parameters)
            #expect(said.code == code, "\(action) \(parameters): \(said.body)")
        }
        await counter.house.close()
    }

    @Test(
        "a volume ends on the same day of a later month by the clock of Beijing, or on the last one that there is",
        arguments: [
            ("2026-01-30T17:00:00Z", 1, "2026-02-28 01:00:00"), ("2024-01-29T16:00:00Z", 1, "2024-02-29 00:00:00"),
            ("2026-11-30T15:59:59Z", 1, "2026-12-30 23:59:59"), ("2026-12-01T00:00:00Z", 36, "2029-12-01 08:00:00"),
        ])
    func expiry(_ created: String, _ months: Int, _ end: String) throws {
        let terms = Terms(["kingsoft.ChargeType": "Monthly", "kingsoft.PurchaseTime": "\(months)"])
        #expect(terms.expiry(of: try #require(WallTime(created))) == end)
        #expect(Terms(nil).expiry(of: try #require(WallTime(created))) == nil)
    }

    @Test("volumes are put in projects, and found by them")
    func projects() async throws {
        let counter = try await Counter()
        let volume = try await counter.volume(), other = try await counter.volume("EHDD", ["ProjectId": "8"])
        func found(_ projects: [String]) async throws -> Set<String> {
            let filter = Dictionary(uniqueKeysWithValues: projects.enumerated().map { ("ProjectId.\($0)", $1) })
            return Set(
                try await counter.ask("DescribeVolumes", filter).list("Volumes").compactMap {
                    $0["VolumeId"] as? String
                })
        }
        #expect(try await found(["0"]) == [volume])
        #expect(try await found(["8"]) == [other])
        #expect(try await found(["8", "0"]).count == 2)
        let move = ["VolumeId.1": volume, "ProjectId": "3"]
        #expect(try await counter.ask("UpdateVolumeProject", move)["Return"] as? Bool == true)
        #expect(try await shown(counter, volume)["ProjectId"] as? Int == 3)
        let byTerraform = ["InstanceId": other, "ProjectId": "3"]
        #expect(try await counter.ask("UpdateInstanceProjectId", byTerraform, .iam)["Return"] as? Bool == true)
        #expect(try await found(["3"]) == [volume, other])
        let list = try await counter.ask("GetAccountAllProjectList", [:], .iam)["ListProjectResult"] as? [String: Any]
        #expect((list?["ProjectList"] as? [[String: Any]])?.map { $0["ProjectId"] as? Int } == [0, 3])
        let host = try await counter.instance()
        for (instance, project, code) in [
            (host, "9", nil), (host, "-1", "ProjectIdInvalidParameterValue"), ("x", "0", "InstanceCanNotFoundError"),
        ] {
            let asked = ["InstanceId": instance, "ProjectId": project]
            #expect(try await counter.ask("UpdateInstanceProjectId", asked, .iam).code == code)
        }
        func instances(_ project: String) async throws -> [[String: Any]] {
            try await counter.ask("DescribeInstances", ["ProjectId.1": project], .kec).list("InstancesSet")
        }
        #expect(try await instances("0").isEmpty)
        #expect(try await instances("9").map { $0["ProjectId"] as? Int } == [9])
        let run = [
            "ImageId": "linux", "ChargeType": "HourlyInstantSettlement", "ProjectId": "5", "DataDisk.1.Size": "10",
        ]
        _ = try await counter.ask("RunInstances", run, .kec)
        let made = try #require(try await instances("5").first)
        #expect(made["ChargeType"] as? String == "HourlyInstantSettlement")
        #expect(try await found(["5"]).count == 1)
        let all = try await counter.ask("GetAccountAllProjectList", [:], .iam)["ListProjectResult"] as? [String: Any]
        #expect(all?["Total"] as? Int == 4)
        _ = try await counter.ask("AttachVolume", ["VolumeId": volume, "InstanceId": host])
        #expect(try await counter.ask("UpdateVolumeProject", move).code == "VolumeStatusError")
        #expect(
            try await counter.ask("UpdateVolumeProject", ["VolumeId.1": "x", "ProjectId": "0"]).code
                == "VolumeCanNotFoundError")
        await counter.house.close()
    }

    @Test("a volume costs what the server's price table says")
    func prices() async throws {
        let counter = try await Counter()
        func price(_ more: [String: String]) async throws -> [String: Any] {
            let asked = ["VolumeType": "SSD3.0", "Size": "100"].merging(more) { $1 }
            let said = try await counter.ask("DescribeCreateVolumePrice", asked)
            return try #require(said["VolumePrice"] as? [String: Any], "\(said.body)")
        }
        #expect(try await price([:])["TradePrice"] as? Double == 0)
        _ = try await counter.house.usage.set(
            PriceTable(currency: "CNY", regions: ["*": PriceTable.Prices(volumes: ["SSD3.0": 0.73])]))
        let monthly = try await price(["ChargeType": "Monthly", "PurchaseTime": "2"])
        #expect(monthly["TradePrice"] as? Double == 146 && monthly["CurrencyUnit"] as? String == "CNY")
        let hour = try #require(try await price(["ChargeType": "HourlyInstantSettlement"])["TradePrice"] as? Double)
        #expect(abs(hour - 0.1) < 1e-9)
        let wrong = try await counter.ask("DescribeCreateVolumePrice", ["VolumeType": "SSD3.0", "Size": "9"])
        #expect(wrong.code == "SizeInvalidParameterValue")
        await counter.house.close()
    }

    @Test(
        "the tags of a volume are replaced as Terraform asks for it", arguments: [KingsoftRequest.Service.tag, .tagv2])
    func tags(_ service: KingsoftRequest.Service) async throws {
        let counter = try await Counter()
        let volume = try await counter.volume("SSD3.0", ["Tag.1.Key": "old", "Tag.1.Value": "x"])
        let asked = [
            "ResourceType": "volume", "ReplaceTags.1.ResourceUuids": volume, "Tag_1_Key": "team", "Tag_1_Value": "a b",
            "Tag_2_Key": "empty",
        ]
        #expect(try await counter.ask("ReplaceResourcesTags", asked, service)["Result"] as? Bool == true)
        let tags = try await shown(counter, volume)["Tags"] as? [[String: String]]
        #expect(
            tags == [["TagKey": "empty", "TagValue": ""], ["TagKey": "team", "TagValue": "a b"]])
        let none = asked.filter { !$0.key.hasPrefix("Tag_") }
        #expect(try await counter.ask("ReplaceResourcesTags", none, service).code == nil)
        #expect(try await shown(counter, volume)["Tags"] as? [[String: String]] == [])
        for (change, code) in [
            (["ResourceType": ""], "ResourceTypeRequired"),
            (["ResourceType": "eip"], "ResourceTypeInvalidParameterValue"),
            (["ReplaceTags.1.ResourceUuids": "x"], "VolumeCanNotFoundError"),
            (["ReplaceTags.1.TagIds": "7"], "ReplaceTagsInvalidParameterValue"),
            (["Tag_2_Key": "team"], "Tag_2_KeyInvalidParameterValue"),
        ] {
            let said = try await counter.ask("ReplaceResourcesTags", asked.merging(change) { $1 }, service)
            #expect(said.code == code, "\(change): \(said.body)")
        }
        await counter.house.close()
    }
}
