using System.Globalization;
using System.Text.Json;
using Sora.Layers;
using Sora.Training;
using Sora.Training.SpriteWorld;

namespace Sora.Bench;

/// <summary>
/// The pocket model's recipe from random weights at 1, 4 and 16 times a small budget: the error on clips of combinations that
/// are never trained on, and the scores on prompts of such, against the patches that were trained on. Drawn and encoded
/// clips stay in runs/scaling, so that another run begins at once.
/// </summary>
internal static class ScalingBenchmark
{
    public static IEnumerable<Measurement> Run(bool quick)
    {
        int[] budgets = [1, 4, 16];
        int steps = quick ? 1 : 30, prompts = quick ? 1 : 100;
        string folder = quick ? Directory.CreateTempSubdirectory("sora-scaling-").FullName : Path.Combine(Repository.Root, "runs", "scaling");
        var world = new World(SpriteWorldConfig.ByDay, SpriteAtlas.Load(SpriteAtlas.DefaultFolder, SpriteWorldConfig.ByDay.Subjects));
        FlowTrainingConfig recipe = Recipe(folder, quick);
        var points = new List<(long Tokens, IReadOnlyDictionary<string, double> Values)>();
        foreach (int budget in budgets)
        {
            FlowTrainingConfig config = recipe with { Steps = steps * budget, ValidationSteps = steps * budget };
            foreach (string left in Directory.Exists(folder) ? Directory.GetFiles(folder, "flow-state*").Append(Path.Combine(folder, "metrics.jsonl")) : [])
                File.Delete(left);
            using (var trainer = new FlowTrainer(config, world, quick ? float32 : ComputeTypes.Of(Precision.Auto, CPU), Console.Error.WriteLine, CancellationToken.None))
                trainer.Run(Console.Error.WriteLine, CancellationToken.None);
            EvaluationScores scores = Evaluate(config.OutputFolder, world, prompts);
            points.Add(((long)config.Steps * config.TokensPerStep, new Dictionary<string, double>(Validation(folder))
            {
                ["subject"] = scores.Subject, ["scene"] = scores.Scene, ["motion"] = scores.Motion, ["all three"] = scores.All,
            }));
        }
        if (quick)
            Directory.Delete(folder, recursive: true);
        else
            Save(points);
        foreach ((int budget, (long tokens, IReadOnlyDictionary<string, double> values)) in budgets.Zip(points))
        {
            foreach ((string name, double value) in values)
                yield return new(string.Create(CultureInfo.InvariantCulture, $"recipe at {budget}×, {tokens:N0} patches: {name}"), value, name.Contains("loss", StringComparison.Ordinal) ? "" : "%");
        }
        yield return new("error at 16× / at 1×, of clips that are not trained on", points[^1].Values["loss"] / points[0].Values["loss"], "", Most: 1);
    }

    private static FlowTrainingConfig Recipe(string folder, bool quick)
    {
        FlowTrainingConfig recipe = TrainingFile.Load(Path.Combine(Repository.Root, "models", "pocket-flow.json")).Flow!;
        return recipe with
        {
            VaeFolder = Repository.PocketAutoencoder ?? throw new InvalidOperationException("models/pocket-vae is missing."),
            RunFolder = folder,
            OutputFolder = Path.Combine(folder, "model"),
            StartFolder = null,
            Clips = quick ? 2 : 800,
            Pictures = quick ? 4 : 4000,
            ValidationClips = quick ? 2 : 32,
            TokensPerStep = quick ? 320 : 2560,
            CheckpointMinutes = 1000,
            Transformer = quick ? recipe.Transformer with { NumLayers = 1 } : recipe.Transformer,
        };
    }

    private static EvaluationScores Evaluate(string model, World world, int prompts)
    {
        var evaluation = new WorldEvaluation(world);
        using VideoGenerator generator = VideoGenerator.LoadAsync(model).GetAwaiter().GetResult();
        evaluation.RunAsync(generator, world.EvaluationPrompts(prompts, 1).Select(p => (p.Prompt, CaptionMeaning.Of(p.Clip))), 1).GetAwaiter().GetResult();
        return evaluation.Scores;
    }

    // The last validation of the run.
    private static Dictionary<string, double> Validation(string folder)
    {
        JsonElement last = File.ReadAllLines(Path.Combine(folder, "metrics.jsonl")).Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Last(row => row.TryGetProperty("validation", out _)).GetProperty("validation");
        return new() { ["loss"] = last.GetProperty("loss").GetDouble(), ["subject_loss"] = last.GetProperty("subject_loss").GetDouble() };
    }

    private static void Save(List<(long Tokens, IReadOnlyDictionary<string, double> Values)> points) => GrowthPlot.Save(
        [.. points[0].Values.Keys.Select(name => new GrowthCurve(name, "", [.. points.Select(p => ((double)p.Tokens, p.Values[name]))]))],
        Path.Combine(Repository.Root, "docs", "images", "scaling.svg"), "patches trained on", logarithmic: false);
}
