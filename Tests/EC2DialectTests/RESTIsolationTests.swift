import Blocks
import ControlPlane
import Foundation
import RequestSigning
import TestSupport
import Testing

@testable import EC2Dialect

/// Two accounts at the doors of the EBS direct APIs, the Recycle Bin and the Data Lifecycle Manager: every operation of their
/// tables, asked by one about the other's things and about things that nobody has.
///
/// A new operation is in the walk by being in its table. It must answer a stranger 404, so where the walk's request is not
/// what it takes, the walk fails until it is told how to ask; and one that names nothing fails until it is said so.
@Suite struct RESTIsolationTests {
    /// What a request is made of: `{names}` stand for ids.
    private struct Asking {
        var query = ""
        var body: [UInt8] = []
        var headers: [(name: String, value: String)] = []

        init(query: String = "", _ body: String = "", headers: [(name: String, value: String)] = []) {
            self.query = query
            self.body = Array(body.utf8)
            self.headers = headers
        }
    }

    private static func filled(_ text: String, _ names: [String: String]) -> String {
        names.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value).replacing("{\($1.key)+}", with: $1.value) }
    }

    /// Asks about the owner's things and about nobody's, and compares what a stranger is told.
    ///
    /// - Parameters:
    ///   - namesNothing: operations that are not about something that is there.
    ///   - asking: what operations want beside the path.
    private static func walk<Call>(
        _ table: [RESTOperation<Call>], own: [String: String], nobodys: [String: String],
        namesNothing: Set<String>, _ asking: [String: Asking], _ ask: (DirectRequest) async -> DirectAnswer
    ) async {
        let known = Set(table.map(\.name))
        #expect(namesNothing.isSubset(of: known) && Set(asking.keys).isSubset(of: known), "an operation is gone")
        for operation in table {
            let more = asking[operation.name] ?? Asking()
            func answer(about names: [String: String]) async -> DirectAnswer {
                let body = String(validating: more.body, as: UTF8.self).map { Array(filled($0, names).utf8) }
                return await ask(
                    DirectRequest(
                        method: operation.method, path: filled("/" + operation.path.joined(separator: "/"), names),
                        query: filled(more.query, names), headers: more.headers, body: body ?? more.body))
            }
            let told = await answer(about: own), none = await answer(about: nobodys)
            let text = hiding(own, in: told), other = hiding(nobodys, in: none)
            let name = "\(operation.name): \(told.status) \(text) \(none.status) \(other)"
            #expect(!text.contains("secret") && told.status < 500 && none.status < 500, "\(name)")
            if namesNothing.contains(operation.name) {
                for id in own.values { #expect(!String(decoding: told.body, as: UTF8.self).contains(id), "\(name)") }
            } else {
                #expect(told.status == 404 && none.status == 404 && text == other, "\(name)")
                #expect(told.headers.map(\.value) == none.headers.map(\.value), "\(name)")
            }
        }
    }

    private static func hiding(_ names: [String: String], in answer: DirectAnswer) -> String {
        // The longest first: an ARN has an id in it.
        names.values.sorted { $0.count > $1.count }.reduce(String(decoding: answer.body, as: UTF8.self)) {
            $0.replacing($1, with: "ID")
        }
    }

    private struct Setting {
        let scratch: ScratchDirectory
        let house: House
        let stranger: Caller

        init() async throws {
            scratch = try ScratchDirectory("varve-rest")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            let account = try await house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
        }
    }

    @Test(
        "no operation of the direct APIs tells a stranger whether a snapshot of another account exists, or changes it")
    func direct() async throws {
        let setting = try await Setting(), house = setting.house
        var wanted = BeginSnapshot(size: .gibibytes(1))
        wanted.tags = ["secret": "tag"]
        let stored = try await house.snapshots.begin(wanted).id
        let piece = [UInt8](repeating: 0x5A, count: SnapshotPiece.size.bytes)
        try await house.snapshots.put(try #require(NewPiece(piece)), at: 0, of: stored)
        _ = try await house.snapshots.finish(stored, count: 1, checksum: nil)
        _ = try await house.snapshots.wait(for: stored)
        // A token that lets its owner read is nothing in a stranger's hands.
        func ask(_ path: String, _ query: String = "") async -> DirectAnswer {
            await DirectDialect(house) { 1_800_000_000 }.answer(
                DirectRequest(method: "GET", path: path, query: query), for: .root)
        }
        let list = String(decoding: await ask("/snapshots/\(stored)/blocks").body, as: UTF8.self)
        let token = "blockToken=" + (try #require(list.firstMatch(of: #/"BlockToken":"([^"]+)"/#), "\(list)").1)
        #expect(await ask("/snapshots/\(stored)/blocks/0", token).body == piece)
        let begun = try await house.snapshots.begin(BeginSnapshot(size: .gibibytes(1))).id
        let block = [UInt8](repeating: 0x80, count: SnapshotPiece.size.bytes)
        var put = Asking(headers: [
            ("x-amz-data-length", "524288"), ("x-amz-checksum", BodyHash(of: block).base64),
            ("x-amz-checksum-algorithm", "SHA256"),
        ])
        put.body = block
        let asking = [
            "StartSnapshot": Asking(#"{"VolumeSize":1,"ParentSnapshotId":"{snapshotId}"}"#),
            "CompleteSnapshot": Asking(headers: [("x-amz-changedblockscount", "0")]), "PutSnapshotBlock": put,
            "ListChangedBlocks": Asking(query: "firstSnapshotId={snapshotId}"),
            "GetSnapshotBlock": Asking(query: token),
        ]
        func names(_ id: String) -> [String: String] {
            ["snapshotId": id, "secondSnapshotId": id, "blockIndex": "0"]
        }
        for id in [stored, begun] {
            await Self.walk(
                DirectDialect.operations, own: names(id), nobodys: names("snap-0123456789abcdef0"), namesNothing: [],
                asking
            ) { request in
                await DirectDialect(house) { 1_800_000_000 }.answer(request, for: setting.stranger)
            }
        }
        #expect(try await house.snapshots.list().map(\.id).sorted() == [stored, begun].sorted())
        #expect(try await house.snapshots.show(begun).state == .pending)
        #expect(try await house.verbs(for: setting.stranger).snapshots.list().isEmpty)
        await house.close()
    }

    @Test("no operation tells a stranger whether a rule of another account exists, or changes it")
    func rules() async throws {
        let setting = try await Setting(), house = setting.house
        let rule = try await house.bin.createRule(NewBinRule(resourceType: .snapshot, days: 5)).id
        let lock = #"{"LockConfiguration":{"UnlockDelay":{"UnlockDelayValue":7,"UnlockDelayUnit":"DAYS"}}}"#
        let period = #""RetentionPeriod":{"RetentionPeriodValue":9,"RetentionPeriodUnit":"DAYS"}"#
        let asking = [
            "CreateRule": Asking(#"{"ResourceType":"EBS_SNAPSHOT",\#(period)}"#),
            "ListRules": Asking(#"{"ResourceType":"EBS_SNAPSHOT"}"#), "UpdateRule": Asking("{\(period)}"),
            "LockRule": Asking(lock), "TagResource": Asking(#"{"Tags":[{"Key":"k","Value":"v"}]}"#),
            "UntagResource": Asking(query: "tagKeys=k"),
        ]
        // The owner's name for it, and what would be the stranger's.
        for account in [Caller.root.account, setting.stranger.account] {
            func names(_ id: String) -> [String: String] {
                ["identifier": id, "resourceArn": "arn:aws:rbin:us-east-1:\(account):rule/\(id)"]
            }
            await Self.walk(
                BinDialect.operations, own: names(rule), nobodys: names("NobodysRule"),
                namesNothing: ["CreateRule", "ListRules"], asking
            ) { await BinDialect(house).answer($0, for: setting.stranger) }
        }
        #expect(try await house.bin.rule(rule).days == 5)
        #expect(try await house.bin.rules().count == 1)
        await house.close()
    }

    @Test("no operation tells a stranger whether a policy of another account exists, or changes it")
    func policies() async throws {
        let setting = try await Setting(), house = setting.house
        let volume = try await house.volumes.create(CreateVolume(size: .mebibytes(1))).id
        let plan = PolicyPlan(
            targets: .init(.volumes, ids: [volume]),
            schedules: [.init("daily", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .newest(count: 1))])
        let policy = try await house.policies.create(plan, isEnabled: false).id
        try await house.verbs(for: .root).tags.set(["secret": "tag"], on: [policy])
        let asking = [
            "GetLifecyclePolicies": Asking(query: "policyIds={policyId}"),
            "UpdateLifecyclePolicy": Asking(#"{"State":"DISABLED","Description":"eve"}"#),
            "TagResource": Asking(#"{"Tags":{"k":"v"}}"#), "UntagResource": Asking(query: "tagKeys=secret"),
        ]
        for account in [Caller.root.account, setting.stranger.account] {
            func names(_ id: String) -> [String: String] {
                ["policyId": id, "resourceArn": "arn:aws:dlm:us-east-1:\(account):policy%2F\(id)"]
            }
            await Self.walk(
                DLMDialect.operations, own: names(policy), nobodys: names("policy-0123456789abcdef0"),
                namesNothing: ["CreateLifecyclePolicy"], asking
            ) { await DLMDialect(house).answer($0, for: setting.stranger) }
        }
        let all = await DLMDialect(house).answer(
            DirectRequest(method: "GET", path: "/policies"), for: setting.stranger)
        #expect(all.status == 200 && !String(decoding: all.body, as: UTF8.self).contains(policy))
        #expect(try await house.policies.show(policy).tags == ["secret": "tag"])
        await house.close()
    }

    @Test("an operation is found by method and path, and what is no operation by none")
    func finding() throws {
        func found(_ method: String, _ path: String) -> (String, [String])? {
            let parts = path.split(separator: "/").map(String.init)
            return RESTOperation.find(in: BinDialect.operations, method, parts).map { ($0.operation.name, $0.named) }
        }
        let lock = try #require(found("PATCH", "/rules/a/lock")), tags = try #require(found("GET", "/tags/arn:a/b"))
        #expect(lock.0 == "LockRule" && lock.1 == ["a"])
        #expect(tags.0 == "ListTagsForResource" && tags.1 == ["arn:a/b"])
        for (method, path) in [
            ("PUT", "/rules"), ("PATCH", "/rules/a/lock/b"), ("PATCH", "/rules/a/block"), ("GET", "/tags"),
            ("GET", "/"),
        ] {
            #expect(found(method, path) == nil, "\(method) \(path)")
        }
    }
}
