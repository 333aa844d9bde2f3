using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Sora.Frames;
using Sora.Training;
using Sora.Training.SpriteWorld;

namespace Sora.Cli;

/// <summary>
/// <c>sora evaluate</c>: scores a model on combinations of the drawn world that it was not trained on, or on given prompts, or
/// videos that lie in a folder.
/// </summary>
internal static class EvaluateCommand
{
    private static readonly Argument<string?> s_model = new("MODEL") { Description = "The model's folder [default: the pocket model]", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<int?> s_count = Setting.Number<int>("--count", "N", "How many prompts [default: 100; with --prompts all]");

    private static readonly Option<long?> s_seed = Setting.Number<long>("--seed", "N", "Chooses the prompts and the noise [default: 1]");

    private static readonly Option<string?> s_prompts = Setting.Text("--prompts", "FILE", "Prompts, one a line [default: drawn by --seed]");

    private static readonly Option<string?> s_videos = Setting.Text("--videos", "DIR", "Judge videos made elsewhere, each with its caption in NAME.txt beside it [default: generate]");

    private static readonly Option<string?> s_world = Setting.Text("--world", "NAME", "What prompts and videos may show: first-edition, by-day or everything [default: by-day]");

    private static readonly Option<string?> s_json = Setting.Text("--json", "FILE", "Write the scores as JSON [default: not]");

    private static readonly Option<string?> s_save = Setting.Text("--save", "DIR", "Keep every video and its caption there [default: not]");

    private static readonly Option<string?> s_sprites = Setting.Text("--sprites", "DIR", "The folder of sprites that models/sprites.sh prints [default: its default]");

    public static Command Create()
    {
        var command = new Command("evaluate", "Scores a model of the drawn world on combinations that it never saw.")
        {
            s_model, s_count, s_seed, s_prompts, s_videos, s_world, s_json, s_save, s_sprites,
        };
        foreach (Option option in GenerateOptions.Shape.Concat(GenerateOptions.Solving))
            command.Add(option);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        SpriteWorldConfig config = SpriteWorldConfig.Find(line.GetValue(s_world) ?? "by-day");
        var world = new World(config, SpriteAtlas.Load(line.GetValue(s_sprites) ?? SpriteAtlas.DefaultFolder, config.Subjects));
        // Before the videos, which take minutes.
        if (line.GetValue(s_json) is { } scoreFile && Path.GetDirectoryName(Path.GetFullPath(scoreFile)) is { } scoreFolder && !Directory.Exists(scoreFolder))
            throw new SoraException($"--json {scoreFile}: there is no folder {scoreFolder}.");
        var evaluation = new WorldEvaluation(world);
        if (line.GetValue(s_videos) is { } videos)
            JudgeVideos(evaluation, world, videos, line, cancellationToken);
        else
            await GenerateAsync(evaluation, world, line, cancellationToken);

        EvaluationScores scores = evaluation.Scores;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scores.Count} videos: subject {scores.Subject:P1}, scene {scores.Scene:P1}, motion {scores.Motion:P1}, all {scores.All:P1}"));
        foreach ((string what, IReadOnlyDictionary<string, PartialScore> parts) in new[] { ("subjects", scores.Subjects), ("scenes", scores.Scenes), ("motions", scores.Motions), ("times of day", scores.TimesOfDay) })
            ReportHardest(what, parts);
        if (line.GetValue(s_json) is { } path)
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(scores) + "\n", cancellationToken);
        return ExitCode.Done;
    }

    private static async Task GenerateAsync(WorldEvaluation evaluation, World world, ParseResult line, CancellationToken cancellationToken)
    {
        ulong seed = (ulong)(line.GetValue(s_seed) ?? 1);
        (string, CaptionMeaning)[] prompts = Prompts(world, line, seed);
        string? folder = line.GetValue(s_save);
        if (folder is not null)
            Directory.CreateDirectory(folder);
        // The prompts and seeds are the evaluation's.
        VideoRequest settings = GenerateOptions.RequestOf(line, "sora evaluate", new VideoRequest(prompts[0].Item1));
        using VideoGenerator generator = await VideoGenerator.LoadAsync(
            line.GetValue(s_model) ?? DefaultModel.Find(), new VideoGeneratorOptions { FewSteps = GenerateOptions.FewStepsOf(line, settings), Loras = [.. GenerateOptions.LorasOf(line)] }, null, cancellationToken);
        int done = 0;
        await evaluation.RunAsync(generator, prompts, seed, Each, settings, cancellationToken);

        void Each(string prompt, GeneratedVideo video, ClipScore score)
        {
            Report(++done, prompts.Length, prompt, score);
            if (folder is null)
                return;
            string name = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{done:D3}"));
            video.Save($"{name}.mp4", cancellationToken);
            File.WriteAllText($"{name}.txt", prompt + "\n");
        }
    }

    private static (string Prompt, CaptionMeaning Meaning)[] Prompts(World world, ParseResult line, ulong seed)
    {
        int? count = line.GetValue(s_count);
        if (count is < 1 or > 10_000)
            throw new SoraException($"--count {count} is out of range; allowed: 1 to 10000.");
        if (line.GetValue(s_prompts) is not { } file)
            return [.. world.EvaluationPrompts(count ?? 100, seed).Select(p => (p.Prompt, CaptionMeaning.Of(p.Clip)))];
        string[] prompts = [.. Read(file).Split('\n').Select(p => p.Trim()).Where(p => p.Length > 0).Take(count ?? int.MaxValue)];
        if (prompts.Length == 0)
            throw new SoraException($"{file} holds no prompts; one a line is expected.");
        return [.. prompts.Select(p => (p, WorldEvaluation.MeaningOf(world, p)))];
    }

    private static void JudgeVideos(WorldEvaluation evaluation, World world, string folder, ParseResult line, CancellationToken cancellationToken)
    {
        foreach (Option given in (Option[])[s_count, s_seed, s_prompts, s_save, .. GenerateOptions.Shape, .. GenerateOptions.Solving])
        {
            if (line.GetResult(given) is not null)
                throw new SoraException($"{given.Name} has no meaning with --videos, where nothing is generated.");
        }
        if (!Directory.Exists(folder))
            throw new SoraException($"--videos {folder}: there is no such folder.");
        string[] videos = [.. Directory.EnumerateFiles(folder).GroupBy(file => Path.ChangeExtension(file, ".txt")).Where(files => File.Exists(files.Key)).SelectMany(Judged).Order(StringComparer.Ordinal)];
        if (videos.Length == 0)
            throw new SoraException($"--videos {folder}: no video has its caption beside it; for v.mp4 it is read from v.txt.");
        for (int i = 0; i < videos.Length; i++)
        {
            string caption = Read(Path.ChangeExtension(videos[i], ".txt")).Trim();
            VideoFrame[] frames = [.. VideoReader.Read(videos[i], null, cancellationToken)];
            Report(i + 1, videos.Length, $"{Path.GetFileName(videos[i])}: {caption}", evaluation.Judge(frames, WorldEvaluation.MeaningOf(world, caption)));
        }
    }

    // Of the files of one name: what is written about a video, and a picture beside it, are not videos.
    private static IEnumerable<string> Judged(IEnumerable<string> files)
    {
        string[] shown = [.. files.Where(file => !Is(file, ".txt", ".json", ".jsonl", ".csv", ".log"))];
        return shown.All(IsPicture) ? shown : shown.Where(file => !IsPicture(file));

        static bool IsPicture(string file) => Is(file, ".png", ".jpg", ".jpeg");

        static bool Is(string file, params ReadOnlySpan<string> extensions) => extensions.Contains(Path.GetExtension(file).ToLowerInvariant());
    }

    private static void Report(int done, int count, string what, ClipScore score) => Console.Error.WriteLine(
        $"{done}/{count} {what}: {(score.Subject ? "subject" : "-")} {(score.Scene ? "scene" : "-")} {(score.Motion ? "motion" : "-")}");

    // What a training has most to learn of.
    private static void ReportHardest(string what, IReadOnlyDictionary<string, PartialScore> parts)
    {
        string[] hardest = [.. parts.Where(p => p.Value.Found < p.Value.Count).OrderBy(p => p.Value.Share).ThenByDescending(p => p.Value.Count).Take(5).Select(p => $"{p.Key} {p.Value.Found} of {p.Value.Count}")];
        if (hardest.Length > 0)
            Console.WriteLine($"hardest {what}: {string.Join(", ", hardest)}");
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SoraException($"{file} cannot be read: {e.Message}", e);
        }
    }
}
