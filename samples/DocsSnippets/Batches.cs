namespace Sora.DocsSnippets;

internal static class Batches
{
    public static async Task Generate(VideoGenerator generator, CancellationToken cancellationToken)
    {
        VideoRequest[] requests =
        [
            new("a red fish swims left in the deep sea") { Seed = 1 },
            new("a dog runs on the meadow") { Seed = 2, Width = 96, Height = 48 },
            new("a picture of a cat") { Seed = 3, FrameCount = 1 },
        ];
        IReadOnlyList<GeneratedVideo> videos = await generator.GenerateAsync(requests, null, cancellationToken);

        // Many of them, in memory that holds one batch at a time.
        foreach (IReadOnlyList<VideoRequest> batch in generator.Batches(requests))
        {
            foreach (GeneratedVideo video in await generator.GenerateAsync(batch, null, cancellationToken))
            {
                await using (video)
                    await video.SaveAsync($"{video.Seed}.mp4", cancellationToken);
            }
        }
    }
}
