import ControlPlane
import TestSupport
import Testing

@testable import EC2Dialect

/// Whatever changes something at Amazon's doors leaves an event.
@Suite struct EventTests {
    @Test("every action that is a change leaves one event with its code, and no other does")
    func everyAction() async throws {
        let scratch = try ScratchDirectory("varve-ec2-events")
        var plan = HousePlan(data: scratch.path + "/data")
        plan.refusalsKept = 1000
        let house = try await House.open(plan, exports: Board())
        let dialect = EC2Dialect(house) { "request" }
        let reader = Caller(account: "100000000000", principal: "ann", role: .reader)
        let parameters =
            "VolumeId=vol-00000000000000000&VolumeId.1=vol-00000000000000000&SnapshotId=snap-00000000000000000"
            + "&SnapshotId.1=snap-00000000000000000&InstanceId=i-00000000000000000&InstanceId.1=i-00000000000000000"
            + "&ResourceId.1=vol-00000000000000000&Tag.1.Key=k&Size=1&AvailabilityZone=us-east-1a"
        var last = 0
        for (name, action) in EC2Dialect.actions.sorted(by: { $0.key < $1.key }) {
            for caller in [Caller.root, reader] {
                let answer = await dialect.answer(
                    EC2Request(sources: ["Action=\(name)&Version=2016-11-15&\(parameters)"]), for: caller)
                let found = try await house.events.list().filter { $0.number > last }
                #expect(found.count == (action.isChange ? 1 : 0), "\(name): \(answer.body)")
                last = max(last, found.first?.number ?? 0)
                guard let event = found.first else { continue }
                #expect(event.action == name && event.door == "ec2" && event.requestId == "request")
                let isRefusal = answer.status >= 400
                #expect(isRefusal == (event.outcome != "ok"), "\(name)")
                if isRefusal { #expect(answer.body.contains("<Code>\(event.outcome)</Code>"), "\(name)") }
            }
        }
        #expect(last > 20)
        await house.close()
    }

    @Test("what only verbs refuse and do in the other dialects leaves events, too")
    func otherDoors() async throws {
        let scratch = try ScratchDirectory("varve-ec2-events")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let bin = BinDialect(house)
        let body =
            #"{"RetentionPeriod":{"RetentionPeriodValue":7,"RetentionPeriodUnit":"DAYS"},"ResourceType":"EBS_SNAPSHOT"}"#
        let made = await bin.answer(
            DirectRequest(method: "POST", path: "/rules", query: "", body: Array(body.utf8)), for: .root)
        #expect(made.status < 300)
        _ = await bin.answer(
            DirectRequest(
                method: "POST", path: "/list-rules", query: "", body: Array(#"{"ResourceType":"EBS_SNAPSHOT"}"#.utf8)),
            for: .root)
        _ = await bin.answer(
            DirectRequest(method: "DELETE", path: "/rules/NobodysRule", query: "", body: []), for: .root)
        _ = await DLMDialect(house).answer(
            DirectRequest(method: "DELETE", path: "/policies/policy-00000000000000000", query: "", body: []), for: .root
        )
        let direct = DirectDialect(house) { 0 }
        let begun = await direct.answer(
            DirectRequest(method: "POST", path: "/snapshots", body: Array(#"{"VolumeSize":1}"#.utf8)), for: .root)
        #expect(begun.status == 201)
        // What is no operation has no name but the client's, and changes nothing.
        for path in ["/snapshots/x", "/rules/r/x", "/policies/p/x"] {
            let strange = DirectRequest(method: "POST", path: path, query: "", body: [])
            _ = await direct.answer(strange, for: .root)
            _ = await bin.answer(strange, for: .root)
            _ = await DLMDialect(house).answer(strange, for: .root)
        }
        for method in ["PUT", "GET"] {
            _ = await direct.answer(
                DirectRequest(method: method, path: "/snapshots/snap-0123456789abcdef0/blocks/0"), for: .root)
        }
        let events = try await house.events.list()
        try #require(events.count == 4, "\(events)")
        #expect(events.map(\.door) == ["ebs", "dlm", "rbin", "rbin"])
        #expect(events.map(\.outcome) == ["ok", "ResourceNotFoundException", "ResourceNotFoundException", "ok"])
        #expect(
            events.map(\.action) == ["StartSnapshot", "DeleteLifecyclePolicy", "DeleteRule", "CreateRule"])
        #expect(events[3].subjects == (try await house.bin.rules().map(\.id)))
        await house.close()
    }
}
