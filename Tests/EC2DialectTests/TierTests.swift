import Blocks
import ControlPlane
import Simulation
import TestSupport
import Testing

@testable import EC2Dialect

/// Tiers in Amazon's words.
@Suite struct TierTests {
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let clock = ManualClock(passesSleeps: true)
        let snapshot: String

        init() async throws {
            scratch = try ScratchDirectory("varve-tiers")
            var plan = HousePlan(data: scratch.path + "/data")
            plan.clock = clock
            house = try await House.open(plan, exports: Board())
            let volume = try await house.volumes.create(CreateVolume(size: .gibibytes(1))).id
            snapshot = try await house.snapshots.create(CreateSnapshot(volume: volume)).id
            _ = try await house.snapshots.wait(for: snapshot)
        }

        func ask(_ query: String) async -> EC2Answer {
            await EC2Dialect(house) { "id" }.answer(EC2Request(sources: ["Version=2016-11-15&" + query]), for: .root)
        }

        func isRefused(_ query: String, _ code: String) async -> Bool {
            let answer = await ask(query)
            return answer.status == 400 && answer.body.contains("<Code>\(code)</Code>")
        }
    }

    @Test("a snapshot's way into the archive, out of it for some days, and for good")
    func life() async throws {
        let setting = try await Setting()
        let id = setting.snapshot, named = "SnapshotId=\(id)"
        let status = "Action=DescribeSnapshotTierStatus"
        let before = await setting.ask(status).body
        #expect(before.contains("<storageTier>standard</storageTier>") && !before.contains("lastTiering"))
        #expect(await setting.ask("Action=ModifySnapshotTier&DryRun=true&\(named)").status == 412)
        let archived = await setting.ask("Action=ModifySnapshotTier&StorageTier=archive&\(named)")
        #expect(archived.status == 200 && archived.body.contains("<tieringStartTime>"), "\(archived.body)")
        #expect(await setting.isRefused("Action=ModifySnapshotTier&\(named)", "IncorrectState"))
        let described = await setting.ask(
            "Action=DescribeSnapshots&Filter.1.Name=storage-tier&Filter.1.Value.1=archive")
        #expect(described.body.contains("<storageTier>archive</storageTier>") && described.body.contains(id))
        let filter = "&Filter.1.Name=last-tiering-operation&Filter.1.Value.1="
        let told = await setting.ask(status + filter + "archival-completed").body
        #expect(told.contains("<lastTieringOperationStatus>archival-completed</lastTieringOperationStatus>"))
        #expect(told.contains("<archivalCompleteTime>") && told.contains("<lastTieringProgress>100<"))
        let none = await setting.ask(status + filter + "permanent-restore-completed").body
        #expect(none.contains("<snapshotTierStatusSet/>"), "\(none)")

        let make = "Action=CreateVolume&AvailabilityZone=us-east-1a&\(named)"
        #expect(await setting.isRefused(make, "IncorrectState"))
        let copy = "Action=CopySnapshot&SourceRegion=us-east-1&SourceSnapshotId=\(id)"
        #expect(await setting.isRefused(copy, "IncorrectState"))
        let share = "Action=ModifySnapshotAttribute&CreateVolumePermission.Add.1.UserId=123456789012&\(named)"
        #expect(await setting.isRefused(share, "IncorrectState"))

        let out = await setting.ask("Action=RestoreSnapshotTier&TemporaryRestoreDays=2&\(named)").body
        #expect(out.contains("<restoreDuration>2</restoreDuration><isPermanentRestore>false</isPermanentRestore>"))
        let shown = await setting.ask("Action=DescribeSnapshots&SnapshotId.1=\(id)").body
        #expect(shown.contains("<storageTier>standard</storageTier>") && shown.contains("<restoreExpiryTime>"))
        #expect(await setting.ask(make).status == 200)
        setting.clock.advance(by: .seconds(2 * 86_400))
        #expect(await setting.isRefused(make, "IncorrectState"))

        let kept = await setting.ask("Action=RestoreSnapshotTier&PermanentRestore=true&\(named)").body
        #expect(kept.contains("<isPermanentRestore>true<") && !kept.contains("restoreDuration"))
        #expect(await setting.ask(make).status == 200)
        await setting.house.close()
    }

    @Test("what cannot be meant is refused by name")
    func mistakes() async throws {
        let setting = try await Setting()
        let named = "SnapshotId=\(setting.snapshot)"
        let restore = "Action=RestoreSnapshotTier&\(named)"
        #expect(await setting.isRefused("Action=ModifySnapshotTier&StorageTier=cold&\(named)", "InvalidParameterValue"))
        #expect(await setting.isRefused(restore, "MissingParameter"))
        #expect(
            await setting.isRefused(
                restore + "&TemporaryRestoreDays=1&PermanentRestore=true", "InvalidParameterCombination"))
        for days in ["0", "181", "-1", "x"] {
            #expect(await setting.isRefused(restore + "&TemporaryRestoreDays=\(days)", "InvalidParameterValue"))
        }
        #expect(await setting.isRefused(restore + "&PermanentRestore=true", "IncorrectState"))
        #expect(await setting.isRefused("Action=ModifySnapshotTier", "MissingParameter"))
        let unknown = "Action=DescribeSnapshotTierStatus&Filter.1.Name=status&Filter.1.Value.1=x"
        #expect(await setting.isRefused(unknown, "InvalidParameterValue"))
        await setting.house.close()
    }
}
