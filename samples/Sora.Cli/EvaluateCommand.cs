using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Sora.Training;
using Sora.Training.SpriteWorld;

namespace Sora.Cli;

/// <summary><c>sora evaluate</c>: scores a model on combinations of the drawn world that it was not trained on.</summary>
internal static class EvaluateCommand
{
    private static readonly Argument<string?> s_model = new("MODEL") { Description = "The model's folder [default: the pocket model]", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<int?> s_count = Setting.Number<int>("--count", "N", "How many prompts [default: 100]");

    private static readonly Option<long?> s_seed = Setting.Number<long>("--seed", "N", "Chooses the prompts and the noise [default: 1]");

    private static readonly Option<string?> s_json = Setting.Text("--json", "FILE", "Write the scores as JSON [default: not]");

    private static readonly Option<string?> s_save = Setting.Text("--save", "DIR", "Keep every video there [default: not]");

    private static readonly Option<string?> s_sprites = Setting.Text("--sprites", "DIR", "The folder of sprites that models/sprites.sh prints [default: its default]");

    public static Command Create()
    {
        var command = new Command("evaluate", "Scores a model of the drawn world on combinations that it never saw.") { s_model, s_count, s_seed, s_json, s_save, s_sprites };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        int count = line.GetValue(s_count) ?? 100;
        if (count is < 1 or > 10_000)
            throw new SoraException($"--count {count} is out of range; allowed: 1 to 10000.");
        SpriteWorldConfig config = SpriteWorldConfig.FirstEdition;
        var world = new World(config, SpriteAtlas.Load(line.GetValue(s_sprites) ?? SpriteAtlas.DefaultFolder, config.Subjects));
        string? folder = line.GetValue(s_save);
        if (folder is not null)
            Directory.CreateDirectory(folder);
        using VideoGenerator generator = await VideoGenerator.LoadAsync(line.GetValue(s_model) ?? DefaultModel.Find(), null, null, cancellationToken);
        int done = 0;
        EvaluationScores scores = await WorldEvaluation.RunAsync(generator, world, count, (ulong)(line.GetValue(s_seed) ?? 1), Each, cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scores.Count} videos: subject {scores.Subject:P1}, scene {scores.Scene:P1}, motion {scores.Motion:P1}, all {scores.All:P1}"));
        if (line.GetValue(s_json) is { } path)
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(scores) + "\n", cancellationToken);
        return ExitCode.Done;

        void Each(string prompt, GeneratedVideo video, ClipScore score)
        {
            string marks = $"{(score.Subject ? "subject" : "-")} {(score.Scene ? "scene" : "-")} {(score.Motion ? "motion" : "-")}";
            Console.Error.WriteLine($"{++done}/{count} {prompt}: {marks}");
            if (folder is not null)
                video.Save(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{done:D3}.mp4")), cancellationToken);
        }
    }
}
