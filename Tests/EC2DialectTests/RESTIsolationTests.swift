import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// Two accounts at the doors of the Recycle Bin and of the Data Lifecycle Manager: every operation that names something, asked
/// by one about the other's.
@Suite struct RESTIsolationTests {
    private struct Request {
        let method: String
        let path: String
        var query = ""
        var body = ""
    }

    private static let account = "100000000000"

    private static func binRequests(_ id: String) -> [Request] {
        let arn = "arn:aws:rbin:us-east-1:\(account):rule/\(id)"
        let period = #"{"RetentionPeriod":{"RetentionPeriodValue":9,"RetentionPeriodUnit":"DAYS"}}"#
        let lock = #"{"LockConfiguration":{"UnlockDelay":{"UnlockDelayValue":7,"UnlockDelayUnit":"DAYS"}}}"#
        return [
            Request(method: "GET", path: "/rules/\(id)"),
            Request(method: "PATCH", path: "/rules/\(id)", body: period),
            Request(method: "PATCH", path: "/rules/\(id)/lock", body: lock),
            Request(method: "PATCH", path: "/rules/\(id)/unlock"),
            Request(method: "GET", path: "/tags/\(arn)"),
            Request(method: "POST", path: "/tags/\(arn)", body: #"{"Tags":[{"Key":"k","Value":"v"}]}"#),
            Request(method: "DELETE", path: "/tags/\(arn)", query: "tagKeys=secret"),
            Request(method: "DELETE", path: "/rules/\(id)"),
        ]
    }

    private static func policyRequests(_ id: String) -> [Request] {
        let arn = "arn:aws:dlm:us-east-1:\(account):policy%2F\(id)"
        return [
            Request(method: "GET", path: "/policies/\(id)"),
            Request(method: "PATCH", path: "/policies/\(id)", body: #"{"State":"DISABLED","Description":"eve"}"#),
            Request(method: "GET", path: "/tags/\(arn)"),
            Request(method: "POST", path: "/tags/\(arn)", body: #"{"Tags":{"k":"v"}}"#),
            Request(method: "DELETE", path: "/tags/\(arn)", query: "tagKeys=secret"),
            Request(method: "DELETE", path: "/policies/\(id)"),
        ]
    }

    /// Asks about the owner's and about nobody's, and compares what a stranger is told.
    private static func walk(
        _ requests: (String) -> [Request], own: String, nobodys: String, _ ask: (Request) async -> DirectAnswer
    ) async {
        for (theirs, none) in zip(requests(own), requests(nobodys)) {
            let told = await ask(theirs), known = await ask(none)
            let text = String(decoding: told.body, as: UTF8.self).replacingOccurrences(of: own, with: "ID")
            let other = String(decoding: known.body, as: UTF8.self).replacingOccurrences(of: nobodys, with: "ID")
            let name = "\(theirs.method) \(theirs.path)"
            #expect(told.status == known.status && text == other, "\(name): \(told.status) \(text) \(other)")
            #expect((400..<500).contains(told.status) && !text.contains("secret"), "\(name): \(told.status) \(text)")
            #expect(told.headers.map(\.value) == known.headers.map(\.value), "\(name)")
        }
    }

    @Test("no operation tells a stranger whether a rule or a policy of another account exists, or changes it")
    func nothingLeaks() async throws {
        let scratch = try ScratchDirectory("varve-rest")
        let house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
        let account = try await house.accounts.create(named: "others").id
        let stranger = Caller(account: account, principal: "eve", role: .administrator)
        let volume = try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let rule = try await house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 5)).id
        let plan = PolicyPlan(
            targets: .init(.volumes, ids: [volume]),
            schedules: [.init("daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 1))])
        let policy = try await house.policies.create(plan, isEnabled: false).id
        try await house.verbs(for: .root).tags.set(["secret": "tag"], on: [policy])

        let (bin, dlm) = (BinDialect(house), DLMDialect(house))
        await Self.walk(Self.binRequests, own: rule, nobodys: "NobodysRule") { request in
            await bin.answer(
                DirectRequest(
                    method: request.method, path: request.path, query: request.query, body: Array(request.body.utf8)),
                for: stranger)
        }
        await Self.walk(
            Self.policyRequests, own: policy,
            nobodys: "policy-0123456789abcdef0"
        ) { request in
            await dlm.answer(
                DirectRequest(
                    method: request.method, path: request.path, query: request.query, body: Array(request.body.utf8)),
                for: stranger)
        }
        let rules = await bin.answer(
            DirectRequest(
                method: "POST", path: "/list-rules", query: "", body: Array(#"{"ResourceType":"EBS_SNAPSHOT"}"#.utf8)),
            for: stranger)
        #expect(rules.status == 200 && !String(decoding: rules.body, as: UTF8.self).contains(rule))
        let policies = await dlm.answer(
            DirectRequest(method: "GET", path: "/policies", query: ""), for: stranger)
        #expect(policies.status == 200 && !String(decoding: policies.body, as: UTF8.self).contains(policy))
        #expect(try await house.bin.rule(rule).days == 5)
        #expect(try await house.policies.show(policy).tags == ["secret": "tag"])
        await house.close()
    }
}
