import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// Data Lifecycle Manager as its clients see it, with no socket in between.
@Suite struct DLMTests {
    struct World {
        let scratch: ScratchDirectory
        let house: House
        let dialect: DLMDialect
        let stranger: Caller

        init() async throws {
            scratch = try ScratchDirectory("varve-dlm")
            house = try await House.open(HousePlan(data: scratch.path + "/data"), exports: Board())
            dialect = DLMDialect(house)
            let account = try await house.accounts.create(named: "others").id
            stranger = Caller(account: account, principal: "eve", role: .administrator)
        }

        func ask(
            _ method: String, _ path: String, _ body: Any? = nil, query: String = "", as caller: Caller = .root
        ) async throws -> (status: Int, json: [String: Any], type: String) {
            let bytes = try body.map { Array(try JSONSerialization.data(withJSONObject: $0)) } ?? []
            let answer = await dialect.answer(
                DirectRequest(method: method, path: path, query: query, body: bytes), for: caller)
            let json = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any] ?? [:]
            return (answer.status, json, answer.headers.first?.value ?? "")
        }
    }

    static func policy(_ change: (inout [String: Any], inout [String: Any]) -> Void = { _, _ in }) -> [String:
        Any]
    {
        var schedule: [String: Any] = [
            "Name": "Daily", "CopyTags": true, "TagsToAdd": [["Key": "by", "Value": "dlm"]],
            "CreateRule": ["Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]], "RetainRule": ["Count": 7],
        ]
        var policy: [String: Any] = [
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/dlm", "Description": "nightly backups",
            "State": "ENABLED",
            "Tags": ["Cost": "low"],
        ]
        change(&policy, &schedule)
        if policy["PolicyDetails"] == nil {
            policy["PolicyDetails"] = [
                "ResourceTypes": ["VOLUME"], "TargetTags": [["Key": "backup", "Value": "yes"]], "Schedules": [schedule],
            ]
        }
        return policy
    }

    @Test("a policy from its making to its end, with Amazon's names, tags and ARN")
    func life() async throws {
        let world = try await World()
        let made = try await world.ask("POST", "/policies", Self.policy())
        let id = try #require(made.json["PolicyId"] as? String)
        #expect(made.status == 200 && id.hasPrefix("policy-0"))
        let shown = try #require(try await world.ask("GET", "/policies/\(id)").json["Policy"] as? [String: Any])
        #expect(shown["State"] as? String == "ENABLED" && shown["Description"] as? String == "nightly backups")
        #expect(shown["ExecutionRoleArn"] as? String == "arn:aws:iam::123456789012:role/dlm")
        #expect(shown["Tags"] as? [String: String] == ["Cost": "low"])
        let arn = "arn:aws:dlm:us-east-1:100000000000:policy/\(id)"
        #expect(shown["PolicyArn"] as? String == arn)
        let details = try #require(shown["PolicyDetails"] as? [String: Any])
        let schedule = try #require((details["Schedules"] as? [[String: Any]])?.first)
        let rule = try #require(schedule["CreateRule"] as? [String: Any])
        #expect(
            rule["Interval"] as? Int == 24 && rule["IntervalUnit"] as? String == "HOURS" && rule.count == 3, "\(rule)")
        #expect(rule["Times"] as? [String] == ["03:00"])
        #expect(schedule["RetainRule"] as? [String: Int] == ["Count": 7])
        let listed = try await world.ask("GET", "/policies", query: "targetTags=backup%3Dyes&state=ENABLED")
        #expect((listed.json["Policies"] as? [[String: Any]])?.map { $0["PolicyId"] as? String } == [id])
        #expect(
            (try await world.ask("GET", "/policies", query: "targetTags=backup%3Dno").json["Policies"] as? [Any])?
                .isEmpty == true)
        #expect(try await world.ask("PATCH", "/policies/\(id)", ["State": "DISABLED"]).status == 200)
        #expect(try await world.house.policies.show(id).isEnabled == false)
        let segment = arn.replacingOccurrences(of: ":", with: "%3A").replacingOccurrences(of: "/", with: "%2F")
        #expect(try await world.ask("POST", "/tags/\(segment)", ["Tags": ["a": "1"]]).status == 200)
        #expect(
            try await world.ask("GET", "/tags/\(segment)").json["Tags"] as? [String: String] == [
                "Cost": "low", "a": "1",
            ])
        #expect(try await world.ask("DELETE", "/tags/\(segment)", query: "tagKeys=a&tagKeys=Cost").status == 200)
        #expect(try await world.ask("GET", "/tags/\(segment)").json["Tags"] as? [String: String] == [:])
        for (method, path, body) in [
            ("GET", "/policies/\(id)", nil), ("PATCH", "/policies/\(id)", ["State": "ENABLED"]),
            ("DELETE", "/policies/\(id)", nil),
        ] as [(String, String, [String: String]?)] {
            let theirs = try await world.ask(method, path, body, as: world.stranger)
            let none = try await world.ask(
                method, path.replacingOccurrences(of: id, with: "policy-00000000000000000"), body, as: world.stranger)
            #expect(
                theirs.status == 404 && none.status == 404 && theirs.type == "ResourceNotFoundException", "\(method)")
        }
        #expect(try await world.ask("GET", "/tags/\(segment)", as: world.stranger).status == 404)
        #expect(try await world.ask("DELETE", "/policies/\(id)").status == 200)
        #expect(try await world.ask("GET", "/policies/\(id)").status == 404)
        await world.house.close()
    }

    @Test("a snapshot of a policy shows Amazon's tags in descriptions and filters")
    func tags() async throws {
        let world = try await World()
        var volume = CreateVolume(size: .gibibytes(1))
        volume.tags = ["backup": "yes"]
        _ = try await world.house.volumes.create(volume)
        let body = Self.policy { _, schedule in schedule["RetainRule"] = ["Interval": 2, "IntervalUnit": "WEEKS"] }
        let id = try #require(try await world.ask("POST", "/policies", body).json["PolicyId"] as? String)
        _ = try await world.house.policies.run(id)
        let query =
            "Action=DescribeSnapshots&Version=2016-11-15&Filter.1.Name=tag:aws:dlm:lifecycle-policy-id&Filter.1.Value.1=\(id)"
        let text = await EC2Dialect(world.house) { "id" }.answer(EC2Request(sources: [query]), for: .root).body
        for key in ["aws:dlm:lifecycle-schedule-name", "aws:dlm:managed", "aws:dlm:expirationTime", "backup", "by"] {
            #expect(text.contains("<key>\(key)</key>"), "\(key): \(text)")
        }
        await world.house.close()
    }

    @Test("what is not supported or wrong is refused by name, and makes nothing")
    func refused() async throws {
        let world = try await World()
        let wrong: [(String, [String: Any])] = [
            ("ArchiveRule", Self.policy { _, one in one["ArchiveRule"] = ["RetainRule": [:] as [String: Any]] }),
            (
                "mars-1",
                Self.policy { _, one in one["CrossRegionCopyRules"] = [["Target": "mars-1", "Encrypted": false]] }
            ),
            ("Encrypted", Self.policy { _, one in one["CrossRegionCopyRules"] = [["Target": "us-west-2"]] }),
            ("FastRestoreRule", Self.policy { _, one in one["FastRestoreRule"] = ["Count": 1] }),
            (
                "Scripts are for policies",
                Self.policy { _, one in
                    one["CreateRule"] = [
                        "Interval": 24, "IntervalUnit": "HOURS", "Scripts": [["ExecutionHandler": "x"]],
                    ]
                }
            ),
            (
                "EventSource",
                Self.policy { all, _ in all["PolicyDetails"] = ["PolicyType": "EVENT_BASED_POLICY"] }
            ),
            ("default policy", Self.policy { all, _ in all["DefaultPolicy"] = "VOLUME" }),
            ("State", Self.policy { all, _ in all["State"] = "ON" }),
            ("State", Self.policy { all, _ in all["State"] = nil }),
            ("Description", Self.policy { all, _ in all["Description"] = "a!" }),
            ("exclusive", Self.policy { _, one in one["RetainRule"] = ["Count": 1, "Interval": 1] }),
            ("36500", Self.policy { _, one in one["RetainRule"] = ["Interval": 36_501, "IntervalUnit": "DAYS"] }),
            ("5 hours", Self.policy { _, one in one["CreateRule"] = ["Interval": 5, "IntervalUnit": "HOURS"] }),
            ("cron", Self.policy { _, one in one["CreateRule"] = ["CronExpression": "cron(0 3 * * * *)"] }),
        ]
        for (word, body) in wrong {
            let answer = try await world.ask("POST", "/policies", body)
            #expect(answer.status == 400 && answer.type == "InvalidRequestException", "\(word): \(answer)")
            #expect((answer.json["Message"] as? String)?.contains(word) == true, "\(word): \(answer)")
        }
        #expect(try await world.ask("POST", "/policies", ["x"]).status == 400)
        #expect(try await world.house.policies.list().isEmpty)
        let reader = Caller(account: Caller.root.account, principal: "ann", role: .reader)
        #expect(try await world.ask("POST", "/policies", Self.policy(), as: reader).status == 403)
        await world.house.close()
    }
}
