# What `cargo xtask terraform` lints with: every rule for the Terraform language
# but those below. They are part of tflint; no plugin is installed.

config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# It wants all variables of a module in one file. Where they are many, they are
# split by theme (`variables-nodes.tf`).
rule "terraform_standard_module_structure" {
  enabled = false
}
