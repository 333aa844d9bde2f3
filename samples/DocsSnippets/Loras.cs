using Sora.Weights;

namespace Sora.DocsSnippets;

internal static class Loras
{
    public static async Task ApplyAndRemove(CancellationToken cancellationToken)
    {
        var options = new VideoGeneratorOptions { Loras = [new LoraFile("style.safetensors", 0.8f), new LoraFile("motion.safetensors")] };
        using VideoGenerator generator = await VideoGenerator.LoadAsync("Wan2.1-T2V-1.3B-Diffusers", options, null, cancellationToken);

        await generator.SetLorasAsync([new LoraFile("style.safetensors", 0.4f)], cancellationToken);
        await generator.SetLorasAsync([], cancellationToken);
    }
}
