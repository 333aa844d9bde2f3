using System.CommandLine;
using Sora.Prompts;

namespace Sora.Cli;

/// <summary><c>--enhance</c>: the prompt of a command line in the words that the model was trained on.</summary>
internal static class PromptRewriting
{
    public static readonly Option<bool> Enhance = new("--enhance")
    {
        Description = "Rewrite the prompt into the detailed captions that the model was trained on; models of the drawn world [default: off]",
    };

    /// <summary>The request with its prompt rewritten where that is asked for, which is shown.</summary>
    /// <exception cref="SoraException">There are no rules for the model.</exception>
    public static VideoRequest Apply(ParseResult line, VideoRequest request, ModelLimits limits, string model)
    {
        if (!line.GetValue(Enhance) || request.OriginalPrompt is not null)
            return request;
        WorldPromptEnhancer enhancer = WorldPromptEnhancer.For(limits) ?? throw new SoraException(
            $"--enhance has rules for models of the drawn world, such as models/pocket, and {model} is none; write the prompt in full, or let a chat service rewrite it (ChatPromptEnhancer in the library).");
        EnhancedPrompt enhanced = enhancer.Enhance(request.Prompt);
        if (!line.GetValue(GenerateOptions.Quiet))
        {
            Console.Error.WriteLine($"Prompt: {enhanced.Prompt}");
            foreach (string note in enhanced.Notes)
                Console.Error.WriteLine($"Note: {note}");
        }
        return enhanced.Prompt == request.Prompt ? request : request with { Prompt = enhanced.Prompt, OriginalPrompt = request.Prompt };
    }
}
