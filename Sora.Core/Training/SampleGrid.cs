using Sora.Frames;
using Sora.Training.Metrics;

namespace Sora.Training;

/// <summary>What a model in training makes of fixed prompts and seeds, to be compared from checkpoint to checkpoint.</summary>
/// <param name="Prompts">The prompts, a row for each.</param>
/// <param name="Seed">The first prompt's seed; the next has the next.</param>
/// <param name="Steps">Sampling steps; null takes the model's.</param>
internal sealed record SampleGrid(IReadOnlyList<string> Prompts, long Seed, int? Steps)
{
    /// <summary>Generates a video for each prompt as any user of the model would, and writes them as one picture.</summary>
    /// <param name="modelFolder">The model, as it was just written.</param>
    /// <param name="path">The PNG file.</param>
    /// <param name="cancellationToken">Honoured within a sampling step.</param>
    public PngImage Write(string modelFolder, string path, CancellationToken cancellationToken)
    {
        using VideoGenerator generator = VideoGenerator.LoadAsync(modelFolder, cancellationToken: cancellationToken).GetAwaiter().GetResult();
        var videos = new List<IReadOnlyList<VideoFrame>>();
        foreach (string prompt in Prompts)
        {
            var request = new VideoRequest(prompt) { Seed = Seed + videos.Count, Steps = Steps };
            using GeneratedVideo video = generator.GenerateAsync(request, null, cancellationToken).GetAwaiter().GetResult();
            videos.Add(video.Frames);
        }
        return ContactSheet.Write(path, videos);
    }
}
