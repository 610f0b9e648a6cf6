import Blocks
import ControlPlane
import Foundation
import TestSupport
import Testing

@testable import EC2Dialect

/// The further kinds of policies of Data Lifecycle Manager, and what schedules do besides taking snapshots, in Amazon's words.
@Suite struct DLMDutyTests {
    private typealias World = DLMTests.World

    /// Makes a policy of these details, and gives them back as they are shown.
    private static func shown(_ world: World, _ details: [String: Any]) async throws -> [String: Any] {
        let made = try await world.ask(
            "POST", "/policies", DLMTests.policy { all, _ in all["PolicyDetails"] = details })
        let id = try #require(made.json["PolicyId"] as? String, "\(made)")
        let policy = try #require(try await world.ask("GET", "/policies/\(id)").json["Policy"] as? [String: Any])
        #expect(policy["DefaultPolicy"] as? Bool == false)
        return try #require(policy["PolicyDetails"] as? [String: Any])
    }

    private static func same(_ found: Any?, _ wanted: [String: Any]) throws -> Bool {
        let found = try #require(found as? [String: Any])
        let texts = try [found, wanted].map { try JSONSerialization.data(withJSONObject: $0, options: [.sortedKeys]) }
        return texts[0] == texts[1]
    }

    private static let tags = [["Key": "backup", "Value": "yes"]]
    private static var daily: [String: Any] { ["Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]] }

    @Test("rules of sharing, fast restore and archive come back as they were given")
    func schedules() async throws {
        let world = try await World()
        let rules: [String: [String: Any]] = [
            "FastRestoreRule": ["Count": 1, "AvailabilityZones": ["us-east-1a"]],
            "ArchiveRule": ["RetainRule": ["RetentionArchiveTier": ["Count": 6]]],
        ]
        let share: [String: Any] = [
            "TargetAccounts": ["123456789012"], "UnshareInterval": 3, "UnshareIntervalUnit": "DAYS",
        ]
        var schedule: [String: Any] = [
            "Name": "Monthly", "CreateRule": ["CronExpression": "cron(0 3 1 * ? *)"], "RetainRule": ["Count": 2],
            "ShareRules": [share],
        ]
        for (key, rule) in rules { schedule[key] = rule }
        let found = try await Self.shown(
            world, ["ResourceTypes": ["VOLUME"], "TargetTags": Self.tags, "Schedules": [schedule]])
        let back = try #require((found["Schedules"] as? [[String: Any]])?.first)
        for (key, rule) in rules { #expect(try Self.same(back[key], rule), "\(key): \(back)") }
        #expect(try Self.same((back["ShareRules"] as? [Any])?.first, share))
        let plan = try #require(try await world.house.policies.list().first?.plan?.schedules.first)
        #expect(plan.archive == .newest(count: 6) && plan.sharing?.retention == .age(amount: 3, unit: .days))
        await world.house.close()
    }

    @Test("scripts come back as they were given, and ask that the host comes to rest")
    func scripts() async throws {
        let world = try await World()
        func details(_ script: [String: Any]) -> [String: Any] {
            var rule = Self.daily
            rule["Scripts"] = [script]
            let schedule: [String: Any] = ["Name": "Daily", "CreateRule": rule, "RetainRule": ["Count": 2]]
            return ["ResourceTypes": ["INSTANCE"], "TargetTags": Self.tags, "Schedules": [schedule]]
        }
        let script: [String: Any] = [
            "Stages": ["PRE", "POST"], "ExecutionHandlerService": "AWS_SYSTEMS_MANAGER",
            "ExecutionHandler": "arn:aws:ssm:us-east-1:100000000000:document/quiet",
            "ExecuteOperationOnScriptFailure": false, "ExecutionTimeout": 20, "MaximumRetryCount": 2,
        ]
        let found = try await Self.shown(world, details(script))
        let back = try #require((found["Schedules"] as? [[String: Any]])?.first?["CreateRule"] as? [String: Any])
        #expect(try Self.same((back["Scripts"] as? [Any])?.first, script), "\(back)")
        var quiesce = Quiesce()
        quiesce.atLeast = .application
        quiesce.seconds = 20
        quiesce.tries = 3
        #expect(try await world.house.policies.list().first?.plan?.schedules.first?.quiesce == quiesce)
        let wrong: [(String, [String: Any])] = [
            ("ExecutionHandler", ["Stages": ["PRE"]]), ("Stages", ["ExecutionHandler": "x", "Stages": ["MID"]]),
            ("ExecutionTimeout", ["ExecutionHandler": "x", "ExecutionTimeout": 9]),
            ("MaximumRetryCount", ["ExecutionHandler": "x", "MaximumRetryCount": 4]),
            ("ExecutionHandlerService", ["ExecutionHandler": "x", "ExecutionHandlerService": "CRON"]),
        ]
        for (word, script) in wrong {
            let answer = try await world.ask(
                "POST", "/policies", DLMTests.policy { all, _ in all["PolicyDetails"] = details(script) })
            #expect(answer.status == 400 && answer.type == "InvalidRequestException", "\(word): \(answer)")
            #expect((answer.json["Message"] as? String)?.contains(word) == true, "\(answer)")
        }
        #expect(try await world.house.policies.list().count == 1)
        await world.house.close()
    }

    @Test("a policy on images deprecates the oldest, copies to target regions, and tags with the instance")
    func images() async throws {
        let world = try await World()
        let schedule: [String: Any] = [
            "Name": "Images", "CreateRule": Self.daily, "RetainRule": ["Count": 5], "DeprecateRule": ["Count": 2],
            "VariableTags": [["Key": "of", "Value": "$(instance-id)"]],
        ]
        let found = try await Self.shown(
            world,
            [
                "PolicyType": "IMAGE_MANAGEMENT", "ResourceTypes": ["INSTANCE"], "TargetTags": Self.tags,
                "Parameters": ["NoReboot": false], "Schedules": [schedule],
            ])
        #expect(found["PolicyType"] as? String == "IMAGE_MANAGEMENT")
        #expect(try Self.same(found["Parameters"], ["NoReboot": false]), "\(found)")
        let back = try #require((found["Schedules"] as? [[String: Any]])?.first)
        #expect(try Self.same(back["DeprecateRule"], ["Count": 2]))
        #expect((back["VariableTags"] as? [[String: String]]) == [["Key": "of", "Value": "$(instance-id)"]])
        let policy = try #require(try await world.house.policies.list().first)
        #expect(policy.plan?.product == .images && policy.plan?.schedules[0].deprecation == .newest(count: 3))

        let host = try await world.house.instances.launch(NewInstances())[0].id
        let disk = try await world.house.volumes.create(CreateVolume(size: .gibibytes(1))).id
        _ = try await world.house.instances.attach(disk, to: host, as: "/dev/sda1", goesWithInstance: false)
        try await world.house.verbs(for: .root).tags.set(["backup": "yes"], on: [host])
        _ = try await world.house.policies.run(policy.id)
        let query =
            "Action=DescribeImages&Version=2016-11-15&Owner.1=self"
            + "&Filter.1.Name=tag:aws:dlm:lifecycle-policy-id&Filter.1.Value.1=\(policy.id)"
        let text = await EC2Dialect(world.house) { "id" }.answer(EC2Request(sources: [query]), for: .root).body
        #expect(text.contains("<key>aws:dlm:managed</key>") && text.contains("<value>\(host)</value>"), "\(text)")
        await world.house.close()
    }

    @Test("a default policy is made, changed by what is said alone, listed by its type, and there is one of each")
    func defaults() async throws {
        let world = try await World()
        func body(_ more: [String: Any]) -> [String: Any] {
            var body = DLMTests.policy { all, _ in all["PolicyDetails"] = ["PolicyLanguage": "SIMPLIFIED"] }
            for (key, value) in more { body[key] = value }
            return body
        }
        let wanted: [String: Any] = [
            "DefaultPolicy": "VOLUME", "CreateInterval": 2, "RetainInterval": 5, "CopyTags": true,
            "ExtendDeletion": true, "Exclusions": ["ExcludeBootVolumes": true, "ExcludeVolumeTypes": ["st1"]],
        ]
        let made = try await world.ask("POST", "/policies", body(wanted))
        let id = try #require(made.json["PolicyId"] as? String, "\(made)")
        #expect(try await world.ask("PATCH", "/policies/\(id)", ["RetainInterval": 9]).status == 200)
        let policy = try #require(try await world.ask("GET", "/policies/\(id)").json["Policy"] as? [String: Any])
        #expect(policy["DefaultPolicy"] as? Bool == true && policy["Description"] as? String == "nightly backups")
        let details: [String: Any] = [
            "PolicyType": "EBS_SNAPSHOT_MANAGEMENT", "PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME",
            "CreateInterval": 2, "RetainInterval": 9, "CopyTags": true, "ExtendDeletion": true,
            "Exclusions": ["ExcludeBootVolumes": true, "ExcludeVolumeTypes": ["st1"]],
        ]
        #expect(try Self.same(policy["PolicyDetails"], details), "\(policy)")
        let second = try await world.ask("POST", "/policies", body(["DefaultPolicy": "VOLUME"]))
        #expect(second.status == 429 && second.type == "LimitExceededException")
        #expect(try await world.ask("POST", "/policies", body(["DefaultPolicy": "INSTANCE"])).status == 200)
        for (word, count) in [("ALL", 2), ("VOLUME", 1), ("INSTANCE", 1)] {
            let listed = try await world.ask("GET", "/policies", query: "defaultPolicyType=\(word)")
            #expect((listed.json["Policies"] as? [Any])?.count == count, "\(word)")
        }
        for wrong in [
            ["CreateInterval": 8], ["RetainInterval": 15], ["CreateInterval": 3, "RetainInterval": 3],
            ["Exclusions": ["ExcludeBootVolumes": true]],
        ] as [[String: Any]] {
            var all = wrong
            all["DefaultPolicy"] = "INSTANCE"
            #expect(try await world.ask("POST", "/policies", body(all)).status == 400, "\(wrong)")
        }
        await world.house.close()
    }

    @Test("what a request does not speak of stays in a default policy, also what Amazon has no words for")
    func partial() async throws {
        let world = try await World()
        var schedule = PolicyPlan.Schedule(
            "weekly", .weekly(days: [.monday], at: [TimeOfDay(minutes: 90)], zone: nil), keeping: .newest(count: 60),
            tags: ["by": "me"])
        schedule.fastRestore = .init(in: ["us-east-1a"], keeping: .newest(count: 2))
        var plan = PolicyPlan(name: "native", targets: .init(.volumes), schedules: [schedule])
        plan.targets.lacking = .init(days: 1, excludesBootVolumes: true)
        let id = try await world.house.policies.create(plan).id
        func patch(_ body: [String: Any], _ change: (inout PolicyPlan) -> Void) async throws {
            #expect(try await world.ask("PATCH", "/policies/\(id)", body).status == 200, "\(body)")
            change(&plan)
            #expect(try await world.house.policies.show(id).plan == plan, "\(body)")
        }
        try await patch(["Description": "mine"]) { $0.description = "mine" }
        try await patch(["State": "DISABLED"]) { _ in }
        try await patch(["State": "ENABLED", "PolicyDetails": ["PolicyLanguage": "SIMPLIFIED"]]) { _ in }
        try await patch([:]) { _ in }
        try await patch(["CopyTags": true]) { $0.schedules[0].copiesTags = true }
        try await patch(["CreateInterval": 3]) { $0.targets.lacking?.days = 3 }
        try await patch(["Exclusions": ["ExcludeVolumeTypes": ["st1"]]]) {
            $0.targets.lacking?.excludesBootVolumes = false
            $0.targets.lacking?.excludedKinds = ["st1"]
        }
        try await patch(["RetainInterval": 7, "ExtendDeletion": true]) {
            $0.schedules[0].retention = .age(amount: 7, unit: .days)
            $0.letsAllGo = true
        }
        var two = plan
        two.schedules.append(schedule)
        two.schedules[1].retention = .age(amount: 9, unit: .days)
        two.schedules[0].name = "other"
        _ = try await world.house.policies.change(id, to: two)
        #expect(try await world.ask("PATCH", "/policies/\(id)", ["RetainInterval": 5]).status == 400)
        #expect(try await world.house.policies.show(id).plan == two)
        await world.house.close()
    }

    @Test("an update that is refused neither pauses a policy nor enables it")
    func refusedWhole() async throws {
        let world = try await World()
        var plan = PolicyPlan(
            targets: .init(.volumes),
            schedules: [
                .init("one", .every(hours: 24, from: TimeOfDay(minutes: 0)), keeping: .age(amount: 7, unit: .days))
            ])
        plan.targets.lacking = .init(days: 1)
        for isEnabled in [true, false] {
            let id = try await world.house.policies.create(plan, isEnabled: isEnabled).id
            let answer = try await world.ask(
                "PATCH", "/policies/\(id)",
                [
                    "State": isEnabled ? "DISABLED" : "ENABLED", "Description": "other",
                    "CrossRegionCopyTargets": [["TargetRegion": "mars-1"]],
                ])
            #expect(answer.status == 400, "\(answer)")
            let shown = try await world.house.policies.show(id)
            #expect(shown.isEnabled == isEnabled && shown.plan == plan)
            try await world.house.policies.delete(id)
        }
        await world.house.close()
    }

    @Test("a policy on events has a source and an action, and only what can be followed in bounded time is a pattern")
    func events() async throws {
        let world = try await World()
        func details(_ pattern: String) -> [String: Any] {
            [
                "PolicyType": "EVENT_BASED_POLICY",
                "EventSource": [
                    "Type": "MANAGED_CWE",
                    "Parameters": [
                        "EventType": "shareSnapshot", "SnapshotOwner": ["123456789012"], "DescriptionRegex": pattern,
                    ],
                ],
                "Actions": [
                    [
                        "Name": "copy it",
                        "CrossRegionCopy": [
                            [
                                "Target": "us-east-1", "EncryptionConfiguration": ["Encrypted": false],
                                "RetainRule": ["Interval": 30, "IntervalUnit": "DAYS"],
                            ]
                        ],
                    ]
                ],
            ]
        }
        var wanted = details("^.*policy-0123.*$")
        let found = try await Self.shown(world, wanted)
        wanted["PolicyLanguage"] = "STANDARD"
        #expect(try Self.same(found, wanted), "\(found)")
        let listed = try await world.ask("GET", "/policies").json["Policies"] as? [[String: Any]]
        #expect(listed?.first?["PolicyType"] as? String == "EVENT_BASED_POLICY")
        for pattern in ["(", "(?=x)", "\\1"] {
            let answer = try await world.ask(
                "POST", "/policies", DLMTests.policy { all, _ in all["PolicyDetails"] = details(pattern) })
            #expect(answer.status == 400 && answer.type == "InvalidRequestException", "\(pattern): \(answer)")
        }
        await world.house.close()
    }
}
