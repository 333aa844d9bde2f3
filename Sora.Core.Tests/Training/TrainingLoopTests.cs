using System.Text.Json;
using Sora.Tests.Engine;
using Sora.Tests.Training.Metrics;
using Sora.Training;
using Xunit;

namespace Sora.Tests.Training;

public sealed class TrainingLoopTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-loop-").FullName;

    [Fact]
    public void SeveralBatchesMakeTheStepOfOneThatHoldsThemAll()
    {
        using var whole = new LineFit(rows: 24) { Muon = false };
        using var parts = new LineFit(rows: 8) { Muon = false };
        Train(whole, Options("whole", 12));
        Train(parts, Options("parts", 12) with { Accumulation = 3 });
        Assert.True(RandomTensor.Distance(whole.Weight, zeros([6, 3])) > 0.05);
        Assert.InRange(RandomTensor.Distance(whole.Weight, parts.Weight), 0, 1e-5f);
        Assert.InRange(RandomTensor.Distance(whole.Bias, parts.Bias), 0, 1e-5f);
        Assert.All(Rows("whole").Zip(Rows("parts")), pair => Assert.Equal(Loss(pair.First), Loss(pair.Second), 1e-5));
    }

    [Fact]
    public void MetricsSayWhatHappened()
    {
        using var task = new LineFit();
        List<string> log = Train(task, Options("run", 10) with { ValidationSteps = 4, SampleCheckpoints = 1, LogSteps = 5 });
        JsonElement[] rows = Rows("run"), steps = [.. rows.Where(r => r.TryGetProperty("loss", out _))];
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), steps.Select(Step));
        Assert.All(steps, row => Assert.True(row.GetProperty("gradient_norm").GetDouble() > 0 && row.GetProperty("examples_per_second").GetDouble() > 0));
        Assert.Equal(steps.Select(Step).Select(s => LearningRate.At(s - 1, 10, 0.02, 3)), steps.Select(r => r.GetProperty("learning_rate").GetDouble()));
        JsonElement[] validations = [.. rows.Where(r => r.TryGetProperty("validation", out _))];
        Assert.Equal([4L, 8L, 10L], validations.Select(Step));
        double[] errors = [.. validations.Select(r => r.GetProperty("validation").GetProperty("error").GetDouble())];
        Assert.True(errors[0] > errors[1] && errors[1] > errors[2]);
        Assert.Equal("samples/step-00000010.png", rows[^1].GetProperty("samples").GetString());

        IReadOnlyList<ILookup<int, TensorBoardReader.Field>> events = TensorBoardReader.Read(Assert.Single(Directory.GetFiles(Path.Combine(_folder, "run"), "*tfevents*")));
        double[] losses = [.. from e in events from s in e[5] from v in s.Message[1] where v.Message[1].Single().Text == "train/loss" select (double)v.Message[2].Single().Float];
        Assert.Equal(steps.Select(r => (double)(float)Loss(r)), losses);
        Assert.Contains(events, e => e[5].Any(s => s.Message[1].Any(v => v.Message[4].Any())));

        Assert.Contains(log, line => line.StartsWith("fit costs: 10 steps of 8 examples", StringComparison.Ordinal));
        Assert.Contains(log, line => line.StartsWith("fit step 5/10 loss", StringComparison.Ordinal) && line.EndsWith("left", StringComparison.Ordinal));
        Assert.Equal("finished", log[^1]);
    }

    [Fact]
    public void WhatIsLookedAtBeforehandLeavesNoTrace()
    {
        using var task = new LineFit();
        Train(task, Options("run", 3));
        // A step or two are measured and undone.
        Assert.Equal([0, 1, 2], task.Batches[^3..]);
        Assert.True(task.Batches.Count > 3);
        Assert.Equal(3, Rows("run").Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatIsNoNumberStopsTheTrainingAndIsNamed(bool gradient)
    {
        using var task = new LineFit { Change = (batch, loss) => batch < 6 ? loss : gradient ? loss + (loss * 0).sqrt() : loss * float.NaN };
        var options = Options("run", 20);
        using (var loop = new TrainingLoop(task, options with { CheckpointMinutes = 0 }))
        {
            var exception = Assert.Throws<SoraException>(() => loop.Run(_ => { }, CancellationToken.None));
            Assert.StartsWith($"{(gradient ? "The gradient's length" : "The loss")} is NaN at step 7; the checkpoint of step 6 is kept", exception.Message, StringComparison.Ordinal);
        }
        Assert.Equal(6, Rows("run").Length);

        using var again = new LineFit();
        using var resumed = new TrainingLoop(again, options);
        Assert.Equal(6, resumed.Steps);
        Assert.Equal(0, RandomTensor.Distance(task.Weight, again.Weight));
    }

    [Fact]
    public void ACheckpointThatCannotBeWrittenLeavesTheOneBefore()
    {
        using var task = new LineFit();
        TrainingLoopOptions options = Options("run", 8) with { CheckpointMinutes = 0 };
        using var loop = new TrainingLoop(task, options);
        byte[] before = [];
        // As when a disk goes away: files that are open stay so, and no new one can be made.
        string away = options.RunFolder + "-away";
        loop.StepDone = steps =>
        {
            if (steps != 5)
                return;
            before = File.ReadAllBytes(options.StatePath);
            Directory.Move(options.RunFolder, away);
        };
        var exception = Assert.Throws<SoraException>(() => loop.Run(_ => { }, CancellationToken.None));
        Assert.Contains("cannot be written", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith("The checkpoint of step 4 is kept.", exception.Message, StringComparison.Ordinal);
        Directory.Move(away, options.RunFolder);
        Assert.Equal(before, File.ReadAllBytes(options.StatePath));
        Assert.Empty(Directory.GetFiles(options.RunFolder, "*.tmp"));
    }

    [Fact]
    public void WhatAKilledCheckpointLeftIsRemoved()
    {
        TrainingLoopOptions options = Options("run", 2);
        string left = options.StatePath + ".abcdefgh.ijk.tmp", other = Path.Combine(options.RunFolder, "other.tmp");
        File.WriteAllText(left, "half a checkpoint");
        File.WriteAllText(other, "somebody else's");
        using var task = new LineFit();
        Train(task, options);
        Assert.False(File.Exists(left));
        Assert.True(File.Exists(other));
    }

    [Fact]
    public void TrainingsSideBySideDrawTheirOwnBatchesAndTheFirstWrites()
    {
        var exchange = new Recorder(0);
        using var first = new LineFit();
        Train(first, Options("run", 3) with { Exchange = exchange, Accumulation = 2 });
        Assert.Equal([0, 2, 4, 6, 8, 10], first.Batches[^6..]);
        Assert.Equal(first.Batches.Count / 2, exchange.Calls);
        // The mean over both goes on, not the own gradient.
        Assert.Equal(exchange.Norm / 2, Rows("run")[^1].GetProperty("gradient_norm").GetDouble(), 4);

        using var second = new LineFit();
        File.Delete(Path.Combine(_folder, "run", "metrics.jsonl"));
        Train(second, Options("run", 6) with { Exchange = new Recorder(1), Accumulation = 2 });
        Assert.Equal([13, 15, 17, 19, 21, 23], second.Batches[^6..]);
        Assert.Equal(0, second.Checkpoints);
        Assert.False(File.Exists(Path.Combine(_folder, "run", "metrics.jsonl")));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private static long Step(JsonElement row) => row.GetProperty("step").GetInt64();

    private static double Loss(JsonElement row) => row.GetProperty("loss").GetDouble();

    private static List<string> Train(LineFit task, TrainingLoopOptions options)
    {
        var log = new List<string>();
        using var loop = new TrainingLoop(task, options);
        loop.Run(log.Add, CancellationToken.None);
        return log;
    }

    private JsonElement[] Rows(string run) =>
        [.. File.ReadAllLines(Path.Combine(_folder, run, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    private TrainingLoopOptions Options(string run, long steps) => new()
    {
        Name = "fit",
        RunFolder = Directory.CreateDirectory(Path.Combine(_folder, run)).FullName,
        Settings = TrainingSettings.Of(new { steps }, new { steps }, "none"),
        Steps = steps,
        LearningRate = 0.02,
        WarmupSteps = 3,
        AverageDecay = 0.9,
    };

    /// <summary>Two trainings, of which the other has no gradient at all.</summary>
    private sealed class Recorder(int rank) : IGradientExchange
    {
        public int Rank => rank;

        public int Count => 2;

        public int Calls { get; private set; }

        public double Norm { get; private set; }

        public void Average(IReadOnlyDictionary<string, Parameter> parameters)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGradients = no_grad();
            Calls++;
            Norm = stack(parameters.Values.Select(p => p.grad!.norm())).norm().item<float>();
            foreach (Parameter parameter in parameters.Values)
                parameter.grad!.div_(2);
        }

        public double Average(double value) => value;

        public void Broadcast(IEnumerable<Tensor> tensors)
        {
        }

        public void BeginLastBackward()
        {
        }

        public void Ready(IReadOnlyList<Parameter> parameters)
        {
        }
    }
}
