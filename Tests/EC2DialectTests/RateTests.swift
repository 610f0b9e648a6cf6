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
        let launched = await setting.ec2(
            "Action=RunInstances&ImageId=ami-0123456789abcdef0&MinCount=1&MaxCount=1"
                + "&BlockDeviceMapping.1.DeviceName=/dev/sdf&BlockDeviceMapping.1.Ebs.VolumeSize=1")
        let instance = try #require(try await setting.house.instances.list().first?.id, "\(launched.body)")
        let group = "Action=CreateSnapshots&InstanceSpecification.InstanceId=\(instance)"
        let taken = await setting.ec2(group)
        #expect(taken.status == 200, "\(taken.body)")
        let again = await setting.ec2(group)
        #expect(
            again.status == 400 && again.body.contains("<Code>SnapshotCreationPerVolumeRateExceeded</Code>"),
            "\(again.body)")
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

    /// One request to the direct APIs, and in which words it is throttled.
    private struct Direct {
        let setting: Setting
        let caller: Caller

        func ask(_ method: String, _ path: String, _ query: String = "", _ body: String = "") async -> DirectAnswer {
            await DirectDialect(setting.house) { 1_800_000_000 }.answer(
                DirectRequest(method: method, path: path, query: query, body: Array(body.utf8)), for: caller)
        }

        static func reason(_ answer: DirectAnswer) -> String? {
            guard answer.status == 400, answer.headers.first?.value == "RequestThrottledException" else { return nil }
            return ["ACCOUNT_THROTTLED", "RESOURCE_LEVEL_THROTTLE"].first {
                String(decoding: answer.body, as: UTF8.self).contains(#""Reason":"\#($0)""#)
            }
        }
    }

    @Test(
        "a request to the direct APIs counts for its account before it is looked at, whatever becomes of it",
        arguments: [
            ("POST", "/snapshots", 10), ("POST", "/snapshots/completion/snap-0123456789abcdef0", 10),
            ("GET", "/snapshots/snap-0123456789abcdef0/blocks", 50),
            ("GET", "/snapshots/snap-0123456789abcdef0/changedblocks", 50),
            ("GET", "/snapshots/snap-0123456789abcdef0/blocks/0", 1000),
            ("PUT", "/snapshots/snap-0123456789abcdef0/blocks/0", 1000),
        ])
    func accounts(_ method: String, _ path: String, most: Int) async throws {
        let setting = try await Setting(), own = Direct(setting: setting, caller: .root)
        for _ in 0..<most {
            let answer = await own.ask(method, path)
            #expect((400..<500).contains(answer.status) && Direct.reason(answer) == nil)
        }
        #expect(Direct.reason(await own.ask(method, path)) == "ACCOUNT_THROTTLED")
        let account = try await setting.house.accounts.create(named: "others").id
        let others = Direct(setting: setting, caller: Caller(account: account, principal: "eve", role: .administrator))
        #expect(Direct.reason(await others.ask(method, path)) == nil)
        await setting.house.close()
    }

    @Test("the direct APIs say that a snapshot is throttled, for all who use it together")
    func resource() async throws {
        let setting = try await Setting(), own = Direct(setting: setting, caller: .root)
        let account = try await setting.house.accounts.create(named: "others").id
        let others = Direct(setting: setting, caller: Caller(account: account, principal: "eve", role: .administrator))
        let id = try await setting.house.snapshots.begin(BeginSnapshot(size: .gibibytes(1))).id
        try await setting.house.snapshots.put(
            try #require(NewPiece([UInt8](repeating: 7, count: SnapshotPiece.size.bytes))), at: 0, of: id)
        _ = try await setting.house.snapshots.finish(id, count: 1, checksum: nil)
        _ = try await setting.house.snapshots.wait(for: id)
        _ = try await setting.house.snapshots.share(id, SharingChange(adding: [account]))
        func read(_ direct: Direct) async throws -> DirectAnswer {
            let list = await direct.ask("GET", "/snapshots/\(id)/blocks")
            let text = String(decoding: list.body, as: UTF8.self)
            let token = try #require(text.firstMatch(of: #/"BlockToken":"([^"]+)"/#), "\(text)").1
            var answer = list
            for _ in 0..<600 {
                answer = await direct.ask("GET", "/snapshots/\(id)/blocks/0", "blockToken=\(token)")
                guard answer.status == 200 else { break }
            }
            return answer
        }
        #expect(try await read(own).status == 200)
        #expect(Direct.reason(try await read(others)) == "RESOURCE_LEVEL_THROTTLE")
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
        await setting.house.close()
    }
}
