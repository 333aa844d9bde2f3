namespace Sora.Prompts;

/// <summary>A prompt as an <see cref="IPromptEnhancer"/> rewrote it.</summary>
/// <param name="Prompt">The text for the model.</param>
/// <param name="Notes">What the person who asked should know, a sentence each: words that could not be kept.</param>
public sealed record EnhancedPrompt(string Prompt, IReadOnlyList<string> Notes);
