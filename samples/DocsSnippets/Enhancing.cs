using Microsoft.Extensions.AI;
using Sora.Prompts;

namespace Sora.DocsSnippets;

internal static class Enhancing
{
    public static async Task<GeneratedVideo> Enhance(VideoGenerator generator, IChatClient chat, CancellationToken cancellationToken)
    {
        IPromptEnhancer enhancer = WorldPromptEnhancer.For(generator.Limits)          // rules, for models of the drawn world
            ?? (IPromptEnhancer)new ChatPromptEnhancer(chat);                         // a service, for others
        (VideoRequest request, IReadOnlyList<string> notes) = await enhancer.EnhanceAsync(new VideoRequest("a dog"), cancellationToken);
        Console.WriteLine($"{request.OriginalPrompt} -> {request.Prompt} {string.Join(' ', notes)}");
        return await generator.GenerateAsync(request, null, cancellationToken);
    }
}
