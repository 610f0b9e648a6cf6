import Blocks
import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// It is always the same moment.
private struct StoppedClock: HouseClock {
    func now() -> WallTime { WallTime(milliseconds: 1_800_000_000_000) }
    func uptime() -> Duration { .seconds(1) }
    func sleep(_ duration: Duration) { SystemClock().sleep(duration) }
}

/// Requests that come too fast, in Amazon's words.
@Suite struct RateTests {
    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let clock = StoppedClock()

        init() async throws {
            scratch = try ScratchDirectory("varve-rates")
            var plan = HousePlan(data: scratch.path + "/data")
            plan.rates = .aws
            plan.clock = clock
            house = try await House.open(plan, exports: Board())
        }

        func ec2(_ query: String) async -> EC2Answer {
            await EC2Dialect(house) { "id" }.answer(EC2Request(sources: ["Version=2016-11-15&" + query]), for: .root)
        }
    }

    @Test("CreateSnapshot and CreateSnapshots tell of the volume's rate, as Terraform's provider looks for it")
    func snapshots() async throws {
        let setting = try await Setting()
        let volume = try await setting.house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        #expect(await setting.ec2("Action=CreateSnapshot&VolumeId=\(volume)").status == 200)
        let refused = await setting.ec2("Action=CreateSnapshot&VolumeId=\(volume)")
        #expect(
            refused.status == 400
                && refused.body.contains(
                    "<Code>SnapshotCreationPerVolumeRateExceeded</Code><Message>The maximum per volume CreateSnapshot request "
                        + "rate has been exceeded. Use an increasing or variable sleep interval between requests.</Message>"
                ),
            "\(refused.body)")
        await setting.house.close()
    }

    @Test("ModifyVolume tells when the next change may come")
    func modifications() async throws {
        let setting = try await Setting()
        let volume = try await setting.house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        for _ in 0..<4 { #expect(await setting.ec2("Action=ModifyVolume&VolumeId=\(volume)&Size=1").status == 200) }
        let until = setting.clock.now() + .seconds(86_400)
        let refused = await setting.ec2("Action=ModifyVolume&VolumeId=\(volume)&Size=2")
        #expect(
            refused.status == 400
                && refused.body.contains(
                    "<Code>VolumeModificationRateExceeded</Code><Message>You&apos;ve reached the maximum modification rate per "
                        + "volume limit. Wait until \(until) before you can issue the next modification request for this "
                        + "volume.</Message>"),
            "\(refused.body)")
        await setting.house.close()
    }

    @Test("the direct APIs say that an account is throttled")
    func direct() async throws {
        let setting = try await Setting()
        let dialect = DirectDialect(setting.house) { 1_800_000_000 }
        func start() async -> DirectAnswer {
            await dialect.answer(
                DirectRequest(method: "POST", path: "/snapshots", body: Array(#"{"VolumeSize":1}"#.utf8)), for: .root)
        }
        for _ in 0..<10 { #expect(await start().status == 201) }
        let refused = await start()
        #expect(refused.status == 400 && refused.headers.first?.value == "RequestThrottledException")
        #expect(String(decoding: refused.body, as: UTF8.self).contains(#""Reason":"ACCOUNT_THROTTLED""#))
        let stranger = Caller(
            account: try await setting.house.accounts.create(named: "others").id, principal: "eve", role: .administrator
        )
        let list = DirectRequest(method: "GET", path: "/snapshots/snap-0123456789abcdef0/blocks")
        for _ in 0..<60 { #expect(await dialect.answer(list, for: stranger).status == 404) }
        await setting.house.close()
    }
}
