using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sora.Tests.Engine;
using Sora.Tests.Generation;
using Sora.Training;
using Sora.Training.SpriteWorld;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Training.Distributed;

/// <summary>Trainings of two ranks under mpirun; with the real sprites, from models/sprites.sh (which test.sh runs).</summary>
[Collection(LiveTensors.Name)]
public sealed class MpiTrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sora-mpi-").FullName;
    private readonly World _world = new(SpriteWorldConfig.FirstEdition, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, SpriteWorldConfig.FirstEdition.Subjects));

    [MpirunFact]
    public async Task TwoRanksWithHalfTheBatchGiveTheWeightsOfOne()
    {
        // The batch of a step is two parts: one process takes one after the other, two ranks one each.
        FlowTrainingConfig whole = Flow("whole", 4) with { Accumulation = 2 }, half = Flow("half", 4);
        Dictionary<string, float[]> start;
        using (var trainer = new FlowTrainer(whole, _world, float32, _ => { }, default))
        {
            start = trainer.Parameters.ToDictionary(p => $"parameters.{p.Key}", p => Values(p.Value));
            trainer.Run(_ => { }, default);
        }
        Train(Flow("alone", 4));

        Mpirun.Result result = await Mpirun.RunAsync([Arguments(half), Arguments(half)]);
        Assert.True(result.ExitCode == 0, result.Error);

        Dictionary<string, float[]> expected = State(whole), actual = State(half), alone = State(Flow("alone", 4));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        // How far the weights are apart, as a share of how far they have come.
        double moved = Distance(start, expected);
        Assert.InRange(Distance(actual, expected, start.Keys) / moved, 0, 0.01);
        Assert.True(Distance(alone, expected, start.Keys) / moved > 0.1, "half a batch gives other weights than a whole one");
        // The optimiser's memory of the gradients shows their size too.
        string[] memory = [.. expected.Keys.Where(name => name.EndsWith(".mean", StringComparison.Ordinal) || name.EndsWith(".momentum", StringComparison.Ordinal))];
        double length = Math.Sqrt(memory.Sum(name => expected[name].Sum(v => (double)v * v)));
        Assert.InRange(Distance(actual, expected, memory) / length, 0, 0.001);
        Assert.True(File.Exists(Path.Combine(half.OutputFolder, "model_index.json")));
    }

    [MpirunFact]
    public async Task TwoRanksTrainAnAutoencoderOnClipsAndOnPictures()
    {
        // Batches are of clips and of pictures in turn, and a picture has nothing to tell layers along time.
        VaeTrainingConfig whole = Vae("whole") with { Accumulation = 2 }, half = Vae("half");
        Dictionary<string, float[]> start;
        using (var trainer = new VaeTrainer(whole, _world, float32))
        {
            start = trainer.Network.Parameters.ToDictionary(p => $"parameters.{p.Key}", p => Values(p.Value));
            trainer.Run(_ => { }, default);
        }
        string[] arguments = Arguments(half);
        Mpirun.Result result = await Mpirun.RunAsync([arguments, arguments]);
        Assert.True(result.ExitCode == 0, result.Error);
        Dictionary<string, float[]> expected = State(whole.RunFolder, "vae"), actual = State(half.RunFolder, "vae");
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.InRange(Distance(actual, expected, start.Keys) / Distance(start, expected), 0, 0.01);
    }

    [MpirunFact]
    public async Task ARankThatIsKilledEndsTheRunAndItResumes()
    {
        FlowTrainingConfig endless = Flow("killed", 1_000_000) with { CheckpointMinutes = 0 };
        string state = StatePath(endless);
        Mpirun.Result result = await Mpirun.RunAsync([Arguments(endless), Arguments(endless)], async (mpirun, limit) =>
        {
            while (!File.Exists(state))
                await Task.Delay(50, limit);
            using Process rank = Mpirun.ProcessOf(1, mpirun);
            rank.Kill();
        });
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("rank 1", result.Error, StringComparison.Ordinal);

        long saved;
        using (SafetensorsFile file = SafetensorsFile.Open(state))
            saved = long.Parse(file.Metadata["step"]);
        long first = 0;
        using (var trainer = new FlowTrainer(endless with { Steps = saved + 1, ValidationClips = 32 }, _world, float32, _ => { }, default))
        {
            trainer.StepDone = steps => first = steps;
            trainer.Run(_ => { }, default);
        }
        Assert.Equal(saved + 1, first);
    }

    [MpirunFact]
    public async Task ARankThatFailsSaysWhyAndEndsTheOther()
    {
        FlowTrainingConfig config = Flow("failed", 1_000_000);
        string[] arguments = Arguments(config);
        Mpirun.Result result = await Mpirun.RunAsync([arguments, [.. arguments, "--sprites", Path.Combine(_folder, "nowhere")]]);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("rank 1 of 2: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("nowhere", result.Error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private void Train(FlowTrainingConfig config)
    {
        using var trainer = new FlowTrainer(config, _world, float32, _ => { }, default);
        trainer.Run(_ => { }, default);
    }

    private FlowTrainingConfig Flow(string name, long steps) => TinyTraining.Flow(_folder, steps) with
    {
        VaeFolder = Path.Combine(TinyModel.Folder, "vae"),
        RunFolder = Path.Combine(_folder, name, "run"),
        OutputFolder = Path.Combine(_folder, name, "model"),
    };

    private VaeTrainingConfig Vae(string name) => TinyTraining.Vae(_folder, 4) with
    {
        RunFolder = Path.Combine(_folder, name, "run"),
        OutputFolder = Path.Combine(_folder, name, "vae"),
        ValidationSteps = 0,
    };

    private string[] Arguments(VaeTrainingConfig config) => Arguments(new JsonObject
    {
        ["kind"] = "vae",
        ["vae"] = JsonNode.Parse(config.Vae.ToJson()),
        ["run_folder"] = config.RunFolder,
        ["output_folder"] = config.OutputFolder,
        ["steps"] = config.Steps,
        ["pixels_per_step"] = config.PixelsPerStep,
        ["validation_steps"] = config.ValidationSteps,
    });

    private string[] Arguments(FlowTrainingConfig config)
    {
        var file = new JsonObject
        {
            ["kind"] = "flow",
            ["transformer"] = JsonNode.Parse(config.Transformer.ToJson()),
            ["text_encoder"] = JsonNode.Parse(config.TextEncoder.ToJson()),
            ["vae_folder"] = config.VaeFolder,
            ["run_folder"] = config.RunFolder,
            ["output_folder"] = config.OutputFolder,
            ["shape"] = JsonSerializer.SerializeToNode(new { width = config.Shape.Width, height = config.Shape.Height, frames = config.Shape.Frames }),
            ["clips"] = config.Clips,
            ["pictures"] = config.Pictures,
            ["steps"] = config.Steps,
            ["tokens_per_step"] = config.TokensPerStep,
            ["max_text_length"] = config.MaxTextLength,
            ["checkpoint_minutes"] = config.CheckpointMinutes,
        };
        return Arguments(file);
    }

    private string[] Arguments(JsonObject file)
    {
        string path = Path.Combine(_folder, $"{Path.GetRandomFileName()}.json");
        File.WriteAllText(path, file.ToJsonString());
        return ["train", path, "--precision", "full", "--threads", "1"];
    }

    private static string StatePath(FlowTrainingConfig config) => Path.Combine(config.RunFolder, "flow-state.safetensors");

    private static Dictionary<string, float[]> State(FlowTrainingConfig config) => State(config.RunFolder, "flow");

    private static Dictionary<string, float[]> State(string run, string kind)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(run, $"{kind}-state.safetensors"));
        return file.Entries.ToDictionary(e => e.Key, e => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.Bytes(e.Value)).ToArray());
    }

    private static float[] Values(Tensor tensor)
    {
        using Tensor values = tensor.detach().clone();
        return values.data<float>().ToArray();
    }

    private static double Distance(Dictionary<string, float[]> a, Dictionary<string, float[]> b, IEnumerable<string>? names = null) =>
        Math.Sqrt((names ?? a.Keys).Sum(name => a[name].Zip(b[name], (x, y) => Math.Pow(x - y, 2)).Sum()));
}
