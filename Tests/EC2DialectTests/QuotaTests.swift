import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// Quotas in Amazon's words.
@Suite struct QuotaTests {
    @Test("each quota is answered with Amazon's own code")
    func codes() async throws {
        let scratch = try ScratchDirectory("varve-ec2-quotas")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let dialect = EC2Dialect(house) { "id" }
        func code(_ query: String) async -> String {
            let body = await dialect.answer(EC2Request(sources: [query + "&Version=2016-11-15"]), for: .root).body
            return body.split(separator: "<Code>").dropFirst().first.map { String($0.prefix { $0 != "<" }) } ?? "ok"
        }
        let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        let create = "Action=CreateVolume&AvailabilityZone=us-east-1a&Size=10"
        _ = try await house.quotas.set(.gp3, to: 9)
        #expect(await code("\(create)&VolumeType=gp3") == "VolumeLimitExceeded")
        _ = try await house.quotas.set(.io2Operations, to: 400)
        #expect(await code("\(create)&VolumeType=io2&Iops=500") == "MaxIOPSLimitExceeded")
        #expect(await code("\(create)&VolumeType=io2&Iops=400") == "ok")
        let snapshot = "Action=CreateSnapshot&VolumeId=\(volume)"
        for (quota, expected) in [
            (Quota.pendingPerVolume, "ConcurrentSnapshotLimitExceeded"), (.pending, "PendingSnapshotLimitExceeded"),
            (.snapshots, "SnapshotLimitExceeded"),
        ] {
            _ = try await house.quotas.set(quota, to: 0)
            #expect(await code(snapshot) == expected)
        }
        #expect(try await house.snapshots.list().isEmpty)
        await house.close()
    }
}
